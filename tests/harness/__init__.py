"""What tests of the running system share: start one, talk to it, kill parts of it, look at its tables."""
from .antibodies import EXAMPLE
from .homes import make_home, remove_home
from .system import GENERIC, NOOP, System

__all__ = ['EXAMPLE', 'GENERIC', 'NOOP', 'System', 'make_home', 'remove_home']
