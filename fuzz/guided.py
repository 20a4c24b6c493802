"""One target under atheris: `python -m fuzz.guided TARGET [libFuzzer's options and folders]`."""

import sys

import atheris

# What is imported here is instrumented, so that inputs that reach new code are kept and varied.
with atheris.instrument_imports(include=["streams", "model_service", "yaml"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Run libFuzzer, which ends the process."""
    program, target, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
