"""The version of this distribution, for the wheel, the images and the command lines."""

__version__ = "0.1.0"
