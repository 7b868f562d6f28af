"""Make the refrigerant tables that ship: `python scripts/saturation.py`; needs CoolProp.

For each refrigerant a JSON file in `refrigeration/fluids/`: equal steps of ln p, at each the dew
and bubble temperatures, the density of the dry vapour, the enthalpies of vapour and liquid; and of
one usual cycle (-10/40 °C) the exponents of an isentropic compression. Blends are those that
CoolProp predefines (`*.mix`, REFPROP's compositions); R404A, R407C, R410A and R507A are its
pseudo-pure fluids, which have a dew and a bubble line and solve up to the critical point. What
CoolProp does not solve of a blend is filled by a spline through what it does.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import CoolProp
from CoolProp import AbstractState
from scipy.interpolate import CubicSpline

FLUIDS = {
    "R134a": "R134a",
    "R290": "Propane",
    "R32": "R32",
    "R404A": "R404A",
    "R407A": "R407A.mix",
    "R407C": "R407C",
    "R407F": "R407F.mix",
    "R410A": "R410A",
    "R448A": "R448A.mix",
    "R449A": "R449A.mix",
    "R450A": "R450A.mix",
    "R452A": "R452A.mix",
    "R454C": "R454C.mix",
    "R455A": "R455A.mix",
    "R507A": "R507A",
    "R513A": "R513A.mix",
    "R600a": "IsoButane",
    "R717": "Ammonia",
    "R744": "CarbonDioxide",
    "R1234yf": "R1234yf",
    "R1270": "Propylene",
    "R22": "R22",
}
POINTS = 200
LOW_BAR, HIGH_BAR = 0.3, 70.0
OF_HIGHEST = 0.97
"""Of the highest pressure at which CoolProp solves both sides: nearer to it, it is less sure."""
FINE = 1.01
PLACE = Path(__file__).parent.parent / "refrigeration" / "fluids"
BAR, ZERO_C, KJ = 1e5, 273.15, 1e3


def state_of(name: str) -> Any:
    """Return CoolProp's state of a fluid, or of the blend of a `.mix` name."""
    return AbstractState("HEOS", name)


def row(state: Any, bar: float) -> tuple[float, ...]:
    """Return dew and bubble (°C), vapour density (kg/m³), enthalpies of vapour, liquid (kJ/kg)."""
    state.update(CoolProp.PQ_INPUTS, bar * BAR, 0)
    bubble, liquid = state.T() - ZERO_C, state.hmass() / KJ
    state.update(CoolProp.PQ_INPUTS, bar * BAR, 1)
    return (
        state.T() - ZERO_C,
        bubble,
        state.rhomass(),
        state.hmass() / KJ,
        liquid,
    )


def compression(state: Any, low: float, high: float) -> dict[str, float]:
    """Return exponents of work and temperature, and specific heats, of a usual cycle.

    8 K of superheat; work = p1/d1 * (ratio**n - 1)/n, T2/T1 = ratio**t.
    """
    state.update(CoolProp.PQ_INPUTS, low * BAR, 1)
    dew, h_dew = state.T(), state.hmass()
    state.update(CoolProp.PT_INPUTS, low * BAR, dew + 8)
    first_k, first_h, first_d, entropy = state.T(), state.hmass(), state.rhomass(), state.smass()
    below, above = first_k, first_k + 150
    for _ in range(50):  # the temperature at which the entropy is the same: bisection
        middle = (below + above) / 2
        state.update(CoolProp.PT_INPUTS, high * BAR, middle)
        below, above = (middle, above) if state.smass() < entropy else (below, middle)
    ratio, work = high / low, state.hmass() - first_h
    near, far = 1e-3, 1.0
    flow = low * BAR / first_d
    for _ in range(60):  # work grows with the exponent
        n = (near + far) / 2
        near, far = (n, far) if flow * (ratio**n - 1) / n < work else (near, n)
    state.update(CoolProp.PQ_INPUTS, high * BAR, 0)
    bubble, h_bubble = state.T(), state.hmass()
    state.update(CoolProp.PT_INPUTS, high * BAR, bubble - 5)
    return {
        "work_exponent": round(n, 5),
        "temperature_exponent": round(math.log(above / first_k) / math.log(ratio), 5),
        "vapour_kj_kg_k": round((first_h - h_dew) / 8 / KJ, 4),
        "liquid_kj_kg_k": round((h_bubble - state.hmass()) / 5 / KJ, 4),
    }


def table(name: str, source: str) -> dict[str, Any]:
    """Return a refrigerant's table."""
    state = state_of(source)
    low = max(LOW_BAR, 1.01 * triple_bar(state))
    points = solved(state, low)
    high = OF_HIGHEST * math.exp(points[-1][0])
    step = math.log(high / low) / (POINTS - 1)
    at = [math.log(low) + step * place for place in range(POINTS)]
    logs, *columns = (list(column) for column in zip(*points, strict=True))
    dew, bubble, density, vapour, liquid = (
        [round(float(value), 4) for value in CubicSpline(logs, column)(at)] for column in columns
    )
    warm = min(40.0, bubble[-1] - 5)  # CO2 condenses near 22 °C, or not at all
    low_c = max(-10.0, dew[0])
    first = low * math.exp(step * min(i for i, t in enumerate(dew) if t >= low_c))
    second = low * math.exp(step * min(i for i, t in enumerate(bubble) if t >= warm))
    return {
        "refrigerant": name,
        "source": f"CoolProp {CoolProp.__version__} {source}",
        "low_bar": low,
        "step": step,
        **compression(state, first, second),
        "dew_c": dew,
        "bubble_c": bubble,
        "vapour_kg_m3": density,
        "vapour_kj_kg": vapour,
        "liquid_kj_kg": liquid,
    }


def solved(state: Any, low: float) -> list[tuple[float, ...]]:
    """Return ln p and `row` wherever CoolProp solves both sides, in steps of 1 %.

    Of some blends it leaves gaps above 23 bar: no more than temperatures that rise is asked for.
    """
    found: list[tuple[float, ...]] = []
    bar = low
    while bar <= HIGH_BAR:
        try:
            one = row(state, bar)
        except ValueError:
            bar *= FINE
            continue
        if found and (one[0] <= found[-1][1] or one[1] <= found[-1][2]):
            break
        found.append((math.log(bar), *one))
        bar *= FINE
    return found


def triple_bar(state: Any) -> float:
    """Return the pressure of the triple point; 0 of a blend, which has none in CoolProp."""
    try:
        return float(state.keyed_output(CoolProp.iP_triple)) / BAR
    except ValueError:
        return 0.0


def main() -> None:
    """Write the tables; those named as arguments, else all."""
    PLACE.mkdir(exist_ok=True)
    for name in sys.argv[1:] or FLUIDS:
        try:
            found = table(name, FLUIDS[name])
        except ValueError as error:
            print(f"{name}: left out: {error}")
            continue
        body = json.dumps(found, separators=(",", ":")).replace(',"dew_c"', ',\n"dew_c"')
        (PLACE / f"{name}.json").write_text(body + "\n", "utf-8")
        print(f"{name}: {found['dew_c'][0]:.1f} … {found['dew_c'][-1]:.1f} °C, {len(body)} bytes")


if __name__ == "__main__":
    main()
