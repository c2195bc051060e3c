"""The command line: one thin module per command under ``commands/``, which composes the stages."""
