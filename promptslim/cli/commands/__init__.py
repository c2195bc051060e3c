"""One module per command: the first line of its docstring, PARAMETERS, and run(given) -> exit code."""
