"""The plain data that the stages hand on. Standard library only; nothing here reads, writes or computes."""
