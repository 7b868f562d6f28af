"""A cold room: its air, its goods, its frost, its doors, its controller, around a circuit."""

from __future__ import annotations

from math import exp

from simulation.rooms.circuit import Circuit
from simulation.rooms.days import DAY_S, Days
from simulation.rooms.design import FROZEN, Design
from simulation.rooms.faults import Effects, Injection, effects
from simulation.rooms.truth import Truth, saturated, truth

SUBSTEP_S = 60.0
MIN_OFF_S, TRIP_OFF_S = 180.0, 420.0
HIGH_CUT_C, HOT_CUT_C, LOW_CUT_K = 64.0, 132.0, 26.0
"""High-pressure switch, motor's own protection, low-pressure switch (below the usual)."""
DRIP_S = 180.0
BLOCK_S = 900.0
"""What fails now and then is decided anew every quarter of an hour."""
MELT_J = 334_000.0
TO_ROOM = 0.25
"""Share of a defrost's heat that the room gets."""
INDOORS_C = 21.0


class Room:
    """One unit. `step` moves it on; what it would show is its `truth`."""

    def __init__(self, design: Design, at: float, warm_up_s: float = 21_600.0) -> None:
        self.design = design
        self.injections: list[Injection] = []
        self.at = at - warm_up_s
        self.days = Days(design)
        self.air = self.probe = design.set_point + design.differential / 2
        self.product = design.set_point + design.differential / 2
        self.moisture = 0.75 * saturated(self.air)
        self.frost = 0.05 * design.frost_full
        self.coil = self.air
        ambient = self.days.ambient(int(self.at // DAY_S), self.at % DAY_S)
        self.ambient = ambient
        self.circuit = Circuit.at_rest(self.air, ambient)
        self.running = False
        self.stood_s = MIN_OFF_S
        self.trip_s = 0.0
        self.defrost_s = -1.0
        self.drip_s = 0.0
        self.door = 0.0
        self.fans_on = True
        self.evaporator_fans = self.condenser_fans = self.flow = 1.0
        self.truth: Truth = truth(self, Effects())
        while self.at < at:
            self.step(SUBSTEP_S)

    def inject(self, injection: Injection) -> None:
        """Let a fault begin, grow and, if it has one, find its end."""
        self.injections.append(injection)

    def step(self, seconds: float) -> Truth:
        """Move on; return what is true at the end of the step."""
        left = seconds
        found = Effects()
        while left > 0:
            dt = min(left, SUBSTEP_S)
            left -= dt
            found = effects(self.injections, self.at, self.design)
            self._move(dt, found)
            self.at += dt
        self.truth = truth(self, found)
        return self.truth

    def _move(self, dt: float, e: Effects) -> None:
        d = self.design
        number, second = int(self.at // DAY_S), self.at % DAY_S
        self.ambient = self.days.ambient(number, second)
        self.door = max(self.days.of(number).door_share(second, dt), e.door)
        self._defrost(dt, e, second)
        self._decide(dt, e)
        self._fans(e)
        c = self.circuit
        frost = self.frost / d.frost_full + e.ice
        flow = self.flow = max(
            e.air * self.evaporator_fans * (1 - 0.7 * min(frost, 1.2) ** 1.5), 0.05
        )
        if self.running:
            c.evaporator(d, flow, frost, e)
            c.run(d, e, dt, self.air, self.ambient, self.condenser_fans)
            self.coil = c.evaporating
        else:
            c.rest(d, e, dt, max(self.air, min(self.coil, 10.0)), self.ambient)
            if self.defrost_s < 0:
                self.coil += (self.air - self.coil) * (1 - exp(-dt / 240))
        self._warm(dt, second)
        self._wet(dt, e, flow)

    def _decide(self, dt: float, e: Effects) -> None:
        """Be the thermostat and the safeties."""
        d, c = self.design, self.circuit
        self.probe += (self.air - self.probe) * (1 - exp(-dt / 60))
        felt = self.probe - e.offset
        self.trip_s -= dt
        stopped = max(e.stopped, 2.4 * (e.sag - 0.15))  # a motor at low voltage draws too much
        if self.running and (
            c.condensing > min(HIGH_CUT_C, d.fluids.warmest_c - 2)
            or c.discharge > HOT_CUT_C
            or c.evaporating < d.set_point - LOW_CUT_K
        ):
            self.trip_s = TRIP_OFF_S
        must_not = (
            e.outage
            or self.trip_s > 0
            or self.defrost_s >= 0
            or self.drip_s > 0
            or (stopped > 0 and self.chance(7) < stopped)
        )
        if self.running:
            if must_not or felt < d.set_point:
                self.running, self.stood_s = False, 0.0
        else:
            self.stood_s += dt
            if not must_not and felt > d.set_point + d.differential and self.stood_s > MIN_OFF_S:
                self.running = True

    def _defrost(self, dt: float, e: Effects, second: float) -> None:
        d = self.design
        self.drip_s -= dt
        if self.defrost_s < 0:
            hour, step = second / 3600, dt / 3600
            due = any(hour <= start < hour + step for start in d.defrosts)
            clock_dead = (d.seed % 2 or not d.heater) and self.chance(3) < 1 - e.defrost_heat
            if due and not clock_dead and not e.outage:
                self.defrost_s = 0.0
            return
        self.defrost_s += dt
        heat = d.heater * e.defrost_heat * (0 if e.outage else 1)
        if not d.heater:
            heat = 0.6 * d.evaporator_flow * max(self.air - max(self.coil, 0.0), 0.0)
            self.air -= 0.5 * heat * dt / d.air_capacity
        if self.frost > 0.01 * d.frost_full and self.coil >= 0:
            self.frost = max(0.0, self.frost - 0.8 * heat * dt / MELT_J)
            heat *= 0.2
        elif not d.heater:
            self.coil += (self.air - self.coil) * (1 - exp(-dt / 200))
        self.coil += heat * dt / d.coil_capacity
        if self.coil >= d.defrost_end or self.defrost_s >= d.defrost_limit:
            self.defrost_s = -1.0
            self.drip_s = DRIP_S if d.heater else 0.0
            self.coil = min(self.coil, 25.0)

    def _fans(self, e: Effects) -> None:
        d = self.design
        in_defrost = bool(d.heater) and (self.defrost_s >= 0 or self.drip_s > 0)
        self.fans_on = not in_defrost and not e.outage
        lost = self.chance(5) < e.evaporator_fans_lost
        left = (1 - 1 / d.evaporator_fans * (0.95 if lost else 0.0)) if self.fans_on else 0.04
        self.evaporator_fans = max(left, 0.08)
        gone = self.chance(11) < e.condenser_fans_lost
        self.condenser_fans = 1.0 if not gone else (0.22 if d.condenser_fans == 1 else 0.5)

    def _warm(self, dt: float, second: float) -> None:
        """Balance the air's heat; implicit, so that a long step cannot swing."""
        d = self.design
        around = 0.5 * INDOORS_C + 0.5 * self.ambient
        door = d.door_ua * self.door
        source = d.constant_load + (d.fan_power if self.fans_on else 0.0) - self.circuit.cooling
        if self.defrost_s >= 0 and d.heater and self.coil > self.air:
            source += TO_ROOM * d.heater
        gain = d.walls_ua + door
        kept = d.air_capacity / dt
        warm = kept * self.air + gain * around + d.product_ua * self.product + source
        self.air = warm / (kept + gain + d.product_ua)
        share = min(1.0, d.product_ua * dt / d.product_capacity)
        self.product += (self.air - self.product) * share
        day = self.days.of(int(self.at // DAY_S))
        if second <= day.delivery_s < second + dt:
            self.product += day.delivery_k

    def _wet(self, dt: float, e: Effects, flow: float) -> None:
        """Balance the air's water; what the coil takes is frost."""
        d = self.design
        around = 0.5 * saturated(0.5 * INDOORS_C + 0.5 * self.ambient)
        exchange = d.door_ua * self.door / 1006
        coil = saturated(min(self.coil, self.air))
        taken = 0.0
        if self.running and coil < self.moisture:
            taken = 0.8 * d.evaporator_flow / 1006 * flow
        kept = d.air_mass * 8 / dt  # packages and walls hold water too
        source = d.moisture * e.frost_gain + exchange * around
        moist = (kept * self.moisture + source + taken * coil) / (kept + exchange + taken)
        grown = taken * (moist - coil) * dt
        self.moisture = min(moist, 0.98 * saturated(self.air))
        self.frost = min(self.frost + grown, 1.3 * d.frost_full)
        if not self.running and self.air > 1 and d.kind not in FROZEN and self.defrost_s < 0:
            melted = 0.03 * d.evaporator_flow * self.air * dt / MELT_J
            self.frost = max(0.0, self.frost - melted)

    def chance(self, salt: int) -> float:
        """Return a number from 0 to 1 that is the same for a quarter of an hour."""
        block = int(self.at // BLOCK_S) * 2_654_435_761 + self.design.seed * 40_503 + salt * 97_531
        block = (block ^ (block >> 15)) * 2_246_822_519 & 0xFFFFFFFF
        return ((block ^ (block >> 13)) & 0xFFFFF) / 0x100000
