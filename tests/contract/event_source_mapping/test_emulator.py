"""What keeps the local stack's clients from AWS."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT
from tests.plain_shell import NO_ACCOUNT

COMMAND = """
import boto3, json
from event_source_mapping.emulator import leave_aws

leave_aws()
session = boto3.Session()
print(json.dumps([session.region_name, session.available_profiles]))
"""


def test_leave_aws_leaves_the_files_in_the_home_folder(tmp_path: Path) -> None:
    """Clients that are made after `leave_aws` do not read `~/.aws`."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nregion = eu-north-1\n")
    (tmp_path / ".aws/credentials").write_text("[mine]\naws_access_key_id = AKIA\n")
    shell = {name: value for name, value in os.environ.items() if name not in NO_ACCOUNT}

    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        cwd=PROJECT,
        env={**shell, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        check=True,
    )

    assert json.loads(done.stdout) == [None, []]
