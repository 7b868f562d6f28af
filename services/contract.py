"""The contract of the topics as an AsyncAPI 3.0 document: what travels where, in which shape.

Made from what the code itself goes by: the table of topics, the pydantic models, their examples,
the headers as they are written. FastStream's own document knows bytes only, for the runner takes
whole polls.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.json_schema import models_json_schema

import schemas
from schemas.event import Event
from schemas.topics import (
    FEEDBACK,
    FRIGO,
    KNOWLEDGE,
    PRINTER,
    REPORTS,
    SHOWN,
    STAGES,
    TOPICS,
    Topic,
)
from services import wire
from services.record import RECORDED

Json = dict[str, Any]

EXAMPLES = Path(schemas.__file__).parent / "examples"
BINDING = "0.5.0"
"""Version of AsyncAPI's Kafka binding."""

GATEWAYS = "gateways"
"""Who hands in: our own edge, and whoever publishes the same."""

COMMANDS = "commands"
"""Of the command line, by which people teach the desk."""

EDGE = "edge"
"""What answers gateways and browsers; it shows open chats what was said."""

ABOUT = """\
A help desk as events over Kafka. Six stages; each consumes one topic and publishes the next.

Delivery is at least once, and effects once: the id of an event derives from its cause, so an event
that comes twice has the same id. The key decides the partition, and order holds within one key.
Growth is by optional fields only: readers ignore what they do not know."""

HEADERS = {
    "ce_specversion": "the version of CloudEvents, 1.0",
    "ce_id": "the event's `event_id`",
    "ce_type": "what it is; where it is there, it must name the event of the topic",
    "ce_source": "who published it, e.g. /astreinte/ingest",
    "ce_time": "the event's `occurred_at`",
    "ce_tookms": "milliseconds that the stage needed for it",
    "content-type": "application/json",
    "traceparent": "W3C Trace Context: 00, the trace id, half of the event's id, 01",
}
DEAD_HEADERS = {
    "dead_stage": "the consumer that gave up",
    "dead_topic": "where the record was",
    "dead_partition": "its partition",
    "dead_offset": "its offset",
    "dead_group": "the consumer group",
    "dead_error": "the type of the error: Rejected, or that of an unexpected one",
    "dead_reason": "what is wrong, without a customer's words; for an unexpected one: see the log",
    "dead_time": "when, UTC",
    "dead_cut": "only where headers left no room: how many bytes were cut off the end",
}


def document() -> Json:
    """Return the AsyncAPI document, as JSON."""
    events = [topic.event for topic in TOPICS if topic.event]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:astreinte",
        "info": {"title": "Astreinte", "version": version("astreinte"), "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {
            "messages": {e.__name__: _message(e) for e in events} | {"DeadLetter": _dead_letter()},
            "schemas": _schemas(events) | {"CloudEvent": _headers(HEADERS)},
        },
    }


def example(event: type[Event]) -> Json:
    """Return the example of an event that ships; written once, never changed."""
    file = EXAMPLES / f"{event.topic}.v{event.version}.json"
    return dict(json.loads(file.read_text("utf-8")))


def _name(topic: Topic) -> str:
    return topic.event.__name__ if topic.event else "DeadLetter"


def _channel(topic: Topic) -> Json:
    kept = (
        {"cleanup.policy": ["compact"]}
        if topic.compacted
        else {
            "cleanup.policy": ["delete"],
            "retention.ms": topic.retention_ms,
        }
    )
    return {
        "address": topic.name,
        "messages": {_name(topic): {"$ref": f"#/components/messages/{_name(topic)}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": kept,
                "bindingVersion": BINDING,
            }
        },
        "x-key": topic.key,
    }


def _message(event: type[Event]) -> Json:
    summary, *rest = [" ".join(part.split()) for part in (event.__doc__ or "").split("\n\n")]
    shown = example(event)
    read = event.model_validate(shown)
    return {
        "name": event.type_name(),
        "title": event.__name__,
        "summary": summary,
        "description": "\n\n".join(rest).strip() or summary,
        "headers": {"$ref": "#/components/schemas/CloudEvent"},
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "correlationId": {"location": "$message.payload#/trace_id"},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": BINDING}},
        "examples": [
            {"payload": shown, "headers": wire.headers_of(read, _source(event), took_ms=4.2)}
        ],
    }


def _dead_letter() -> Json:
    return {
        "name": "dead letter",
        "title": "DeadLetter",
        "summary": "What a consumer could not handle: the original bytes under the original key.",
        "contentType": "application/octet-stream",
        "headers": _headers(DEAD_HEADERS),
        "payload": {"description": "any bytes, as they came"},
        "bindings": {"kafka": {"bindingVersion": BINDING}},
    }


def _headers(told: dict[str, str]) -> Json:
    texts = {name: {"type": "string", "description": means} for name, means in told.items()}
    return {"type": "object", "description": "UTF-8 text.", "properties": texts}


def _schemas(events: list[type[Event]]) -> Json:
    shapes: Json = models_json_schema(
        [(event, "validation") for event in events],
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )[1]["$defs"]
    for event in events:
        shape = shapes[event.__name__]
        shape["required"] = [name for name in shape["required"] if not _derived(event, name)]
    return shapes


def _derived(event: type[Event], name: str) -> bool:
    """Say whether an event makes a field itself, so that whoever publishes it need not."""
    given = {field: value for field, value in example(event).items() if field != name}
    try:
        event.model_validate(given)
    except ValidationError:
        return False
    return True


def _operations() -> Json:
    """Return who publishes and who reads; a topic that nobody names here is not in use yet."""
    taken = (*REPORTS, *FEEDBACK)
    found = [(GATEWAYS, "send", event.topic) for event in (PRINTER[0], FRIGO[0], *taken)]
    for place, stage in enumerate(STAGES):
        for flow in (PRINTER, FRIGO):
            found.append((stage, "receive", flow[place].topic))
            found.append((stage, "send", flow[place + 1].topic))
        found.append((stage, "send", f"dead.{stage}"))
    found += [("dispatch", "receive", event.topic) for event in taken]
    found += [("dispatch", "send", event.topic) for event in SHOWN]
    found += [(EDGE, "receive", event.topic) for event in SHOWN]
    found += [(COMMANDS, "send", event.topic) for event in KNOWLEDGE]
    found += [("rag", "receive", event.topic) for event in KNOWLEDGE]
    found += [("record", "receive", topic) for topic in RECORDED]
    found.append(("record", "send", "dead.record"))
    return {
        f"{who}.{action}.{topic}": {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic}"},
            "tags": [{"name": who}],
        }
        for who, action, topic in found
    }


def _source(event: type[Event]) -> str:
    senders = dict.fromkeys((event.topic for event in SHOWN), "dispatch")
    senders |= dict.fromkeys((event.topic for event in KNOWLEDGE), COMMANDS)
    senders |= {
        cls.topic: who
        for flow in (PRINTER, FRIGO)
        for cls, who in zip(flow, ("gateway", *STAGES), strict=True)
    }
    return senders.get(event.topic, "gateway")
