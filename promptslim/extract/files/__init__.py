"""Prompts in files: plain text, Markdown, Jinja templates, prompty, and texts inside YAML, TOML and JSON.

``plain_parts`` and ``jinja_parts`` turn a file that code reads into the parts of a prompt, ``data_of`` a data
file into a tree whose texts know their places.
"""

from promptslim.extract.files.data import data_of as data_of
from promptslim.extract.files.jinja import jinja_parts as jinja_parts
from promptslim.extract.files.text import plain_parts as plain_parts
