"""Changes of calls: a keyword, key or list item more, another name for one, a value in a list."""
