"""`python -m passrole`: the command line, for where its script is not on the PATH."""

from passrole.cli import main

if __name__ == "__main__":
    main(prog_name="passrole")
