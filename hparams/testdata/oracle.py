"""Prints, for each string of a JSON list on standard input, what Python makes of it.

One JSON object a line: the value that json.loads gives, or the string itself, as str(), as both json.dumps
spellings that SageMaker's code uses, and the string in capitals.
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
