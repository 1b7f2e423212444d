"""`python -m mailroom`: the same as the command `mailroom`."""

from mailroom.cli import main

if __name__ == "__main__":
    main()
