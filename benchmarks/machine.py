"""Where the benchmarks ran."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.results import Machine
from local.sample_models import PROJECT

_PACKAGES = ("boto3", "mlflow", "msgspec", "numpy", "onnxruntime", "scikit-learn")


def this_machine() -> Machine:
    """Processor, memory, how busy it is, and the versions of what is measured."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        commit=_commit(),
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory_bytes / 1024**3),
        load=os.getloadavg()[0],
        versions={
            "Python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "none"
