"""Prints the catalog of tap-xero with all fields of contacts selected. Needs the tap's Python.

`tap-xero --discover` prints the same, but calls GET /Currencies first, which the sandbox does not have.
"""

import json

from tap_xero import load_metadata, load_schema, streams

if __name__ == "__main__":
    [contacts] = [stream for stream in streams.all_streams if stream.tap_stream_id == "contacts"]
    schema = load_schema(contacts.tap_stream_id)
    metadata = load_metadata(contacts, schema)
    for entry in metadata:
        entry["metadata"]["selected"] = True
    names = {"stream": contacts.tap_stream_id, "tap_stream_id": contacts.tap_stream_id}
    print(
        json.dumps(
            {"streams": [{**names, "key_properties": contacts.pk_fields, "schema": schema, "metadata": metadata}]}
        )
    )
