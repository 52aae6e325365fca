"""What goes wrong while setting up, told in one line that says what to do."""


class SetupError(Exception):
    """The message is for the person who ran the script."""


class Stop(Exception):
    """SIGINT, SIGTERM or SIGHUP came: end everything."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
