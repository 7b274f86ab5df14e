"""Call every operation with a generated Python client: python walk_python.py GENERATOR FOLDER URL CALLS.

It imports the client and the standard library alone; the answer is a line of JSON: what failed, by operation.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

KEY = "ak_demo_owner"
Call = dict[str, Any]


def snake(name: str) -> str:
    """createSpace as create_space."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name.replace(" ", "_")).lower()


def instants(values: Call) -> Call:
    """Values with an instant where the text of one stands."""
    return {
        name: datetime.fromisoformat(value) if name == "since" else value for name, value in values.items()
    }


def openapi_generator(url: str) -> Callable[[Call], Any]:
    """Caller of the client of openapi-generator."""
    package = importlib.import_module("freddy")
    configuration = package.Configuration(host=url, api_key={"ApiKeyAuth": KEY})

    def call(one: Call) -> Any:
        client = package.ApiClient(configuration)
        client.set_default_header("X-Mock-Sandbox", one["sandbox"])
        api = getattr(package, f"{one['tag'].title().replace(' ', '')}Api")(client)
        body = {}
        if (name := one["body_schema"]) and one["body"]:
            body = {snake(name): getattr(package, name).from_dict(one["body"])}
        if one["file"]:
            body = {"files": [("handbook.md", one["file"].encode())]}
        return getattr(api, snake(one["operation"]))(**one["values"], **body)

    return call


def openapi_python_client(url: str) -> Callable[[Call], Any]:
    """Caller of the client of openapi-python-client."""
    package = importlib.import_module("freddy")
    models, types = importlib.import_module("freddy.models"), importlib.import_module("freddy.types")

    def call(one: Call) -> Any:
        client = package.AuthenticatedClient(
            url,
            token=KEY,
            prefix="",
            auth_header_name="X-API-Key",
            headers={"X-Mock-Sandbox": one["sandbox"]},
            raise_on_unexpected_status=True,
        )
        name = snake(one["operation"]).replace("64", "_64")
        module = importlib.import_module(f"freddy.api.{snake(one['tag'])}.{name}")
        body = {}
        if one["body"]:
            body = {"body": getattr(models, one["body_schema"]).from_dict(one["body"])}
        if one["file"]:
            file = types.File(io.BytesIO(one["file"].encode()), "handbook.md", "text/markdown")
            body = {"body": getattr(models, one["body_schema"])(files=[file])}
        answer = module.sync_detailed(client=client, **instants(one["values"]), **body)
        if answer.status_code >= 300:
            raise RuntimeError(f"{answer.status_code} {answer.content!r}")
        return answer.parsed

    return call


def main() -> None:
    """Print what failed."""
    generator, folder, url, calls = sys.argv[1:]
    sys.path.insert(0, folder)
    call = {"openapi-generator": openapi_generator, "openapi-python-client": openapi_python_client}[
        generator
    ](url)
    failed = {}
    for one in json.loads(Path(calls).read_text("utf-8")):
        try:
            call(one)
        except Exception as error:
            failed[one["name"]] = repr(error)[:300]
    print(json.dumps(failed))


if __name__ == "__main__":
    main()
