"""The parts of the programs that stand for AWS's analysers. They run in the user's environment."""
