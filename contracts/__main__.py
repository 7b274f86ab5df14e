"""The `contracts` command, or what to install for it."""

import sys


def main() -> None:
    """Run the command; exit code 2 where its libraries are not installed."""
    try:
        from contracts.cli import main as command
    except ModuleNotFoundError as error:
        missing = f"contracts: {error.name} is not installed; pip install 'freddy-mock[contracts]'"
        print(missing, file=sys.stderr)  # noqa: T201 - there is no library to say it with
        sys.exit(2)
    command()


if __name__ == "__main__":
    main()
