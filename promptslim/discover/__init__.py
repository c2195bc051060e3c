"""Paths to files: walking, ignore files, the byte prefilter, reading and decoding, the call index."""
