"""Reads a JSON list of strings from standard input, and prints one line of JSON for each string.

The line is an object. Python's json.loads turns the string into a value; a string that it refuses is its own
value. The object holds that value as str() writes it and as SageMaker's two calls of json.dumps write it, and
it holds the string in capitals.
"""
import json
import sys

for text in json.load(sys.stdin):
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    print(json.dumps({
        "str": str(value),
        "sorted": json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True),
        "spaced": json.dumps(value),
        "upper": text.upper(),
    }))
