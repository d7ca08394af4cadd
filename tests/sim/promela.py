"""A program as Promela, for SPIN: one process that chooses among all that can happen, so that its steps and states are ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec

from tlblint.sim.ir import PRUNED, Alt, Branch, Code, Const, Effect, Expr, Fail, Look, Not, Program, Set, Step, Var, code_of


class Emitter:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.names = {name: f"v{at}" for at, name in enumerate(program.init)}
        self.tables: dict[bytes, str] = {}

    def expr(self, expr: Expr) -> str:
        if isinstance(expr, Const):
            return str(expr.value)
        if isinstance(expr, Var):
            return f"now.{self.names[expr.name]}"
        if isinstance(expr, Not):
            return f"(!{self.expr(expr.x)})"
        if isinstance(expr, Look):
            return f"{self.tables.setdefault(expr.table, f'T{len(self.tables)}')}[{self.expr(expr.x)}]"
        op = {"and": "&&", "or": "||"}.get(expr.op, expr.op)
        text = f"({self.expr(expr.x)} {op} {self.expr(expr.y)})"
        return f"({text} & 255)" if op in "+-" else text

    def effects(self, effects: tuple[Effect, ...]) -> str:
        out = []
        for effect in effects:
            if isinstance(effect, Set):
                out.append(f"now.{self.names[effect.var]} = {self.expr(effect.value)};")
            elif isinstance(effect, Fail):
                out.append(f"if (!now.viol && {self.expr(effect.cond)}) now.viol = {effect.code};")
            else:
                out.append(f"if ({self.expr(effect.cond)}) {{ {self.effects(effect.effects)} }}")
        return " ".join(out)

    def goto(self, code: Code, at: int) -> str:
        node = code.nodes[at] if at < len(code.nodes) else None
        if not isinstance(node, Branch):
            return str(at)
        return f"({self.expr(node.cond)} ? {self.goto(code, node.then)} : {self.goto(code, node.other)})"

    def option(self, thread: int, code: Code, at: int, alt: Alt) -> str:
        guard = f"now.viol == 0 && now.pc{thread} == {at}" + ("" if alt.guard is None else f" && {self.expr(alt.guard)}")
        always = " ".join(f"if (!now.viol && !{self.expr(expr)}) now.viol = {bad};" for expr, bad in self.program.always)
        body = f"{self.effects(alt.effects)} {always} now.pc{thread} = {self.goto(code, alt.goto)};"
        return f"  :: d_step {{ c_expr {{ {guard} }} -> c_code {{ {body} }}; assert(viol == 0) }}"

    def text(self, ending: bool) -> str:
        """The whole model. ``ending``: with the judgement of states in which nothing can go on, which costs three steps."""
        options, start = [], []
        done = ["1"]
        for thread, code in enumerate(self.program.codes):
            start.append(f"now.pc{thread} = {self.goto(code, 0)};")
            if not code.daemon:
                done.append(f"now.pc{thread} == {len(code.nodes)}")
            for at, node in enumerate(code.nodes):
                if isinstance(node, Step):
                    options += [self.option(thread, code, at, alt) for alt in node.alts]
        over = self.effects(self.program.final)
        verdict = f"if (!({' && '.join(done)})) now.viol = {code_of('deadlock')}; else {{ {over} }}"
        values = [f"byte {self.names[name]} = {value};" for name, value in self.program.init.items()]
        lines = [f"byte pc{thread};" for thread in range(len(self.program.codes))] + ["byte viol;", *values]
        main = [
            "active proctype main() {",
            f"  d_step {{ c_code {{ {' '.join(start)} }} }};",
            "  do",
            *options,
            *(["  :: else -> break"] if ending else []),
            "  od",
        ]
        if ending:
            main.append(f"  ; skip; d_step {{ c_code {{ {verdict} }}; assert(viol == 0) }}")
        tables = [f"c_decl {{ static const unsigned char {name}[256] = {{{','.join(map(str, table))}}}; }}" for table, name in self.tables.items()]
        return "\n".join([*tables, *lines, *main, "}", ""])


def prunes(program: Program) -> bool:
    """Whether a path may be dropped, which has no counterpart here."""
    return f"code={PRUNED}," in repr(program.codes)


class Judged(msgspec.Struct, frozen=True):
    """What SPIN says: whether something is violated, the length of the shortest trail, states stored."""

    violated: bool
    depth: int
    states: int


def judge(program: Program, place: Path, ending: bool = True) -> Judged:
    """Compile and run the verifier, breadth first. Without ``ending`` what is wrong at the end only is not seen, and states are ours plus one."""
    (place / "m.pml").write_text(Emitter(program).text(ending))
    subprocess.run(["spin", "-a", "m.pml"], cwd=place, check=True, capture_output=True)
    compiler = ["gcc", "-O0", "-w", "-DSAFETY", "-DBFS", "-DNOREDUCE", "-DNOCLAIM", "-o", "pan", "pan.c"]
    subprocess.run(compiler, cwd=place, check=True, capture_output=True)
    said = subprocess.run(["./pan", "-w16", "-m100000", "-E"], cwd=place, check=True, capture_output=True, text=True).stdout
    depth = re.search(r"depth reached (\d+)", said)
    states = re.search(r"(\d+) states, stored", said)
    errors = re.search(r"errors: (\d+)", said)
    assert depth is not None
    assert states is not None
    assert errors is not None, said
    trail = 0
    if (place / "m.pml.trail").exists():
        trail = sum(line.split(":")[0].isdigit() for line in (place / "m.pml.trail").read_text().splitlines())
    return Judged(errors[1] != "0", trail, int(states[1]))
