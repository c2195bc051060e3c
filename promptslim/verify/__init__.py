"""Running an eval set with the original and the shorter prompt, and judging the answers."""
