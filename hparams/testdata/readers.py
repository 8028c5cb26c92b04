"""readers.py FORMAT < FILE reads a file of hyperparameters as a trainer would, and prints it as JSON."""
import json
import sys

text = sys.stdin.read()
if sys.argv[1] == "json":
    doc = json.loads(text)
elif sys.argv[1] == "yaml":
    import yaml
    doc = yaml.safe_load(text)
else:
    import tomllib
    doc = tomllib.loads(text)
print(json.dumps(doc))
