"""The font of the shipped styles (see OFL.txt beside it) and the script that makes it."""
