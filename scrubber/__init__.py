"""A scrubber for professional medical claims: a claim goes in, findings with dollars come out."""

__version__ = "0.1.0"
