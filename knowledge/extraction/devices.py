"""Which of a customer's devices a message is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import OSA

from knowledge.catalogue import squeeze
from knowledge.extraction.words import FIRM, SURE, plain
from schemas.findings import DeviceCard, Finding

SIMILAR = 6
"""Characters of a serial number in which one may be wrong or missing: of fewer, chance."""
UNKNOWN = 0.6
"""A serial number that none of the customer's devices has is less likely to be right by that."""
NOT_THEIRS = "not of the customer's devices"

_ALIKE = str.maketrans("oilsbz", "011582")


def with_serials(
    text: str, found: Sequence[Finding], devices: Sequence[DeviceCard]
) -> tuple[Finding, ...]:
    """Hold the serial numbers of a text against those of the customer's devices.

    Theirs are found without a word before them too; one with a character wrong or missing gets
    the device's. One that is nobody's of theirs is kept, less sure, and says so: whether another
    customer has such a device is not asked, so it can never be told.
    """
    checked = [_checked(each, devices) for each in found]
    known = {squeeze(each.value) for each in checked if each.kind == "serial_number"}
    left = [each for each in devices if squeeze(each.serial_number) not in known]
    for theirs in _standing(text, left):
        checked = [each for each in checked if each.start >= theirs.end or each.end <= theirs.start]
        checked.append(theirs)
    return tuple(checked)


def _checked(found: Finding, devices: Sequence[DeviceCard]) -> Finding:
    if found.kind != "serial_number" or not devices or not found.by:
        return found
    device, exact = _of_serial(found.value, devices)
    if device:
        changes = {"value": device.serial_number, "confidence": SURE if exact else FIRM}
        return found.model_copy(update=changes | {"by": "record"})
    less = round(found.confidence * UNKNOWN, 4)
    return found.model_copy(update={"confidence": less, "by": f"{found.by}, {NOT_THEIRS}"})


def _of_serial(value: str, devices: Iterable[DeviceCard]) -> tuple[DeviceCard | None, bool]:
    """Return the device with that serial number, and whether every character is right."""
    written = squeeze(value)
    known = [(squeeze(device.serial_number), device) for device in devices if device.serial_number]
    for serial, device in known:
        if serial == written:
            return device, True
    near = [
        device
        for serial, device in known
        if min(len(serial), len(written)) >= SIMILAR
        and OSA.distance(serial.translate(_ALIKE), written.translate(_ALIKE), score_cutoff=1) <= 1
    ]
    return (near[0], False) if len(near) == 1 else (None, False)


def _standing(text: str, devices: Sequence[DeviceCard]) -> Iterator[Finding]:
    """Yield the serial numbers of devices that stand in a text as they are, word or none."""
    letters = plain(text) if devices else ""
    places = [place for place, letter in enumerate(letters) if letter.isalnum()]
    squeezed = "".join(letters[place] for place in places)
    for device in devices:
        serial = squeeze(device.serial_number)
        at = squeezed.find(serial) if len(serial) >= SIMILAR else -1
        if at < 0:
            continue
        start, end = places[at], places[at + len(serial) - 1] + 1
        whole = not (letters[start - 1 : start].isalnum() or letters[end : end + 1].isalnum())
        if whole:
            yield Finding(
                kind="serial_number", value=device.serial_number, start=start, end=end,
                confidence=SURE, by="record",
            )  # fmt: skip


def device_of(
    text: str, found: Sequence[Finding], devices: Sequence[DeviceCard], of_conversation: str = ""
) -> DeviceCard | None:
    """Return the device that a message is about, with `by` saying how it was told.

    By its serial number; else, of those that the message does not speak against, the one whose
    model it names, whose place it names, that the conversation is about, or that is the only one.
    """
    serials = [each.value for each in found if each.kind == "serial_number"]
    for serial in serials:
        device, _ = _of_serial(serial, devices)
        if device:
            return device.model_copy(update={"by": "serial"})
    if serials:
        return None  # of a device that the record does not have
    models = [each.value for each in found if each.kind == "model"]
    brands = {squeeze(each.value) for each in found if each.kind == "brand"}
    left = [each for each in devices if _is_of(each, models, brands)]
    words = plain(text)
    placed = [d for d in left if d.location and plain(d.location) in words]
    known = [each for each in left if each.device_id == of_conversation]
    told = "model" if models else "brand" if brands else "only"
    for by, some in ((told, left), ("location", placed), ("conversation", known)):
        if len(some) == 1:
            return some[0].model_copy(update={"by": by})
    return None


def _is_of(device: DeviceCard, models: Sequence[str], brands: set[str]) -> bool:
    if models:
        return any(same_model(device.model, model) for model in models)
    return not brands or squeeze(device.brand) in brands


def same_model(one: str, other: str) -> bool:
    """Say whether two names are of one model: « VersaLink C405DN » and « C405 »."""
    first, second = (squeeze(name.split()[-1]) if name else "" for name in (one, other))
    if squeeze(one) == squeeze(other) or (first and first == second):
        return bool(one)
    short, long = sorted((first, second), key=len)
    rest = long.removeprefix(short)
    return len(short) >= 4 and rest != long and rest.isalpha()  # noqa: PLR2004 - « C75 »
