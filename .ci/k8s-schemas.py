"""usage: k8s-schemas.py VERSION FOLDER: the schemas that the package kubernetes-validate brings, made readable for kubeconform without a network.

They name themselves and each other by addresses of another place, which kubeconform would look up; here they point at their neighbours."""
import glob
import json
import os
import sys

import kubernetes_validate

version, folder = sys.argv[1:3]
root = os.path.join(os.path.dirname(kubernetes_validate.__file__), "kubernetes-json-schema")


def mend(part):
    if isinstance(part, dict):
        if isinstance(part.get("$id"), str):
            part.pop("$id")
        if isinstance(part.get("$ref"), str):
            part["$ref"] = part["$ref"].replace("/api/_definitions.json#", "_definitions.json#")
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        mend(child)


count = 0
for kind in ("", "-strict"):
    name = f"v{version}-local{kind}"
    os.makedirs(os.path.join(folder, name), exist_ok=True)
    for file in glob.glob(os.path.join(root, name, "*.json")):
        with open(file) as source:
            schema = json.load(source)
        mend(schema)
        with open(os.path.join(folder, name, os.path.basename(file)), "w") as target:
            json.dump(schema, target)
        count += 1
if count == 0:
    sys.exit(f"There are no schemas of Kubernetes {version}.")
