"""The plugin's own fixtures, whether or not the environment has its entry point."""

from passrole.testing.plugin import passrole, passrole_session, passrole_settings

__all__ = ["passrole", "passrole_session", "passrole_settings"]
