"""What is recorded: groups of at most a hundred items, each with its name and the bytes that come out."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from itertools import islice
from typing import NamedTuple, TypeVar

from scrubber.rulebook.load import rule_files
from tests.recorded.generated import KINDS, chance_of
from tests.recorded.program import (
    CLAIMS_OF_TESTS,
    JSON,
    MAX_BODY_BYTES,
    NDJSON,
    RECEIVED_ON,
    ROOT,
    CaseClaim,
    Claim,
    Program,
    dumped,
)
from tests.support.x12 import BODY, envelope

MOST_ITEMS = 100
CASES = ROOT.parent / "shared" / "cases"
SCRUB, EXPLAIN = "/v1/claims/scrub", "/v1/claims/explain"
EVERYTHING = "include=shadow&include=checks&include=settledBy"
BACK_TEST_DAY = "2026-11-23"
_FIRED = re.compile(rb'"rule":\{"id":"([^"]+)"')

Items = Iterator[tuple[str, bytes]]
T = TypeVar("T")


class Group(NamedTuple):
    """Items that are recorded together; `items` makes them.

    `given`: they are not what comes out but what goes in. `skipped`: why they cannot be here, None where they can.
    """

    name: str
    items: Callable[[], Items]
    given: bool = False
    skipped: str | None = None


class Recording:
    """Everything that is recorded of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.fired: set[str] = set()

    @cached_property
    def cases(self) -> list[CaseClaim]:
        """The claims of all test cases of the shipped rules."""
        return list(self.program.case_claims())

    @cached_property
    def rule_ids(self) -> list[str]:
        """Every shipped rule."""
        told = self.program.ask("GET", "/v1/rules")
        return [rule["id"] for rule in json.loads(_body(told))["rules"]]

    @cached_property
    def generated(self) -> Mapping[str, list[Claim]]:
        """Made-up claims by kind."""
        return {kind: [_generated(kind, number) for number in range(count)] for kind, (count, _) in KINDS.items()}

    @cached_property
    def own(self) -> list[Claim]:
        """The claims of examples/, of rules/claims/ and of the tests."""
        files = [*sorted((ROOT / "examples").glob("*.json")), *sorted((ROOT / "rules/claims").glob("*.json"))]
        claims = [Claim(f"{path.parent.name}-{path.stem}", path.read_bytes()) for path in files]
        claims += [
            Claim(f"{folder}-{path.stem}", path.read_bytes())
            for folder in ("tutorial", "shapes")
            for path in sorted((ROOT / "examples" / folder).glob("*.json"))
        ]
        return claims + [Claim(f"tests-{name}", dumped(body)) for name, body in CLAIMS_OF_TESTS.items()]

    @cached_property
    def x12(self) -> list[Claim]:
        """X12 files with one claim: a sound one, and some that are damaged."""
        body = BODY.partition("\nHL*3*2*23")[0]
        files = {
            "sound": envelope(body),
            "unknown-segment": envelope(body.replace("HI*ABK", "ZZZ*1\nHI*ABK")),
            "out-of-order": envelope(body.replace("LX*1\nSV1*HC:J0897", "LX*1\nDTP*472*D8*20260902\nSV1*HC:J0897")),
            "level": envelope(body.replace("HL*2*1*22*1", "HL*7*5*22*1")),
            "count": envelope(body).replace(b"SE*", b"SE*1"),
            "cut-off": envelope(body)[:-80],
            "windows-1252": envelope(body).replace(b"SAMPLE CLINIC", b"SAMPL\xc9 CLINIC"),
            "two-claims": envelope(),
        }
        return [Claim(f"x12-{name}", data) for name, data in files.items()]

    @cached_property
    def varied(self) -> list[Claim]:
        """Some claims of each sort, for what would take too long with all."""
        some = [claim for claims in self.generated.values() for claim in claims[::40]]
        return self.own + [case.claim for case in self.cases[::20] if case.client is None] + some

    def groups(self) -> Iterator[Group]:
        """Every group, in a fixed order."""
        yield from self._answers()
        yield from self._views()
        yield from self._explanations()
        yield from self._lookups()
        yield from self._commands()
        yield from self._many()

    def _answers(self) -> Iterator[Group]:
        yield from self._answered("own", [(claim, None) for claim in self.own])
        yield from self._answered("rules", [(case.claim, case) for case in self.cases])
        yield from self._answered("x12", [(claim, None) for claim in self.x12])
        for kind, claims in self.generated.items():
            yield from self._answered(f"generated-{kind}", [(claim, None) for claim in claims])
        files = [path for path in sorted(CASES.glob("*.json")) if path.name != "expected.json"]
        if not files:
            yield Group("answers/shared", lambda: iter(()), skipped="there is no ../shared/cases")
        yield from self._answered("shared", [(Claim(path.stem, path.read_bytes()), None) for path in files])

    def _answered(self, name: str, claims: Iterable[tuple[Claim, CaseClaim | None]]) -> Iterator[Group]:
        for number, some in enumerate(_by(claims, MOST_ITEMS)):
            yield Group(
                f"claims/{name}-{number:02}",
                partial(_claim_bodies, some),
                given=True,
            )
            yield Group(f"answers/{name}-{number:02}", partial(self._scrubbed, some))

    def _scrubbed(self, claims: Iterable[tuple[Claim, CaseClaim | None]], query: str = "") -> Items:
        for claim, case in claims:
            address = f"{SCRUB}?receivedOn={claim.received_on}{query}"
            answer = self.program.ask("POST", address, claim.body, client=case.client if case else None)
            self.fired.update(found.decode() for found in _FIRED.findall(_findings(answer)))
            yield claim.name, answer

    def _views(self) -> Iterator[Group]:
        queries = {
            "clearinghouse": "&view=clearinghouse",
            "everything": f"&{EVERYTHING}",
            "without-rules": "&disable=cms-ncci-ptp-column-two&disable=documentation-tbs-number",
        }
        for name, query in queries.items():
            for number, some in enumerate(_by(self.varied, MOST_ITEMS)):
                claims = [(claim, None) for claim in some]
                yield Group(f"views/{name}-{number:02}", partial(self._scrubbed, claims, query))
        yield Group("requests", self._requests)

    def _requests(self) -> Items:
        """What is answered to requests that are not as they should be, and to those packed or sent otherwise."""
        ask, claim = self.program.ask, self.own[0].body
        yield "packed", ask("POST", SCRUB, gzip.compress(claim, mtime=0), Content_Encoding="gzip")
        yield "accepts-packed", ask("POST", SCRUB, claim, Accept_Encoding="identity")
        yield "cut-off", ask("POST", SCRUB, gzip.compress(claim, mtime=0)[:-9], Content_Encoding="gzip")
        yield "other-packing", ask("POST", SCRUB, claim, Content_Encoding="br")
        yield "text", ask("POST", SCRUB, claim, "text/plain")
        yield "too-large", ask("POST", SCRUB, b'"%b"' % (b"x" * MAX_BODY_BYTES))
        bodies = (b"", b"{", b"[]", b"1", b'"a"', b"{}", b'{"a": \xff}', b'{"a": 1, "a": 2}',
                  b"[" * 5_000, b'{"a": NaN}', b'{"claimInformation": {}}',
                  b'{"claimInformation": {"serviceLines": []}}', b"\xef\xbb\xbf{}",
                  b'{"claimInformation": {"serviceLines": [{"institutionalService": {}}]},'
                  b' "scrubContext": {"receivedOn": "20261123"}}')  # fmt: skip
        for number, body in enumerate(bodies):
            yield f"body-{number}", ask("POST", SCRUB, body)
            yield f"explain-body-{number}", ask("POST", EXPLAIN, body)
        for number, query in enumerate(("view=other", "include=all", "view=clearinghouse&include=checks", "enable=none",
                                        "disable=none", "receivedOn=soon", "recievedOn=20260101", "color=red"),
                                       ):  # fmt: skip
            yield f"query-{number}", ask("POST", f"{SCRUB}?{query}", claim)
        for number, query in enumerate(("rule=none", "line=0", "line=99", "line=a", "rules=a")):
            yield f"explain-query-{number}", ask("POST", f"{EXPLAIN}?{query}", claim)
        for method, address in (("GET", SCRUB), ("PUT", SCRUB), ("DELETE", "/v1/rules"), ("OPTIONS", SCRUB),
                                ("HEAD", "/docs"), ("GET", "/"), ("GET", "/docs"), ("GET", "/nowhere"),
                                ("GET", "/v1//rules"), ("GET", "/v1/batches"), ("POST", "/v1/batches"),
                                ("GET", "/v1/batches/none")):  # fmt: skip
            yield f"{method}{address}".replace("/", "-"), ask(method, address)

    def _explanations(self) -> Iterator[Group]:
        """Of each rule: the first case in which it fires, and the first in which it does not."""
        asked: dict[tuple[str, bool], CaseClaim] = {}
        for case in self.cases:
            asked.setdefault((case.rule, case.fires), case)
        for number, some in enumerate(_by(asked.values(), MOST_ITEMS)):
            yield Group(f"explanations/rules-{number:02}", partial(self._explained, some))
        yield Group(
            "explanations/claims", lambda: self._explained_whole(self.varied[:: max(1, len(self.varied) // 45)])
        )
        yield Group("explanations/text", self._explained_as_text)

    def _explained(self, cases: Iterable[CaseClaim]) -> Items:
        for case in cases:
            address = f"{EXPLAIN}?receivedOn={case.claim.received_on}&rule={case.rule}"
            yield case.claim.name, self.program.ask("POST", address, case.claim.body, client=case.client)

    def _explained_whole(self, claims: Iterable[Claim]) -> Items:
        for claim in claims:
            for name, query in (("fired", ""), ("line-1", "&line=1")):
                address = f"{EXPLAIN}?receivedOn={claim.received_on}{query}"
                yield f"{claim.name}-{name}", self.program.ask("POST", address, claim.body)

    def _explained_as_text(self) -> Items:
        plain = [case for case in self.cases if case.client is None]
        for case in plain[:: len(plain) // 20]:
            file = self.program.write(f"explained/{case.claim.name}.json", case.claim.body)
            given = ("rules", "explain", file, "--received-on", case.claim.received_on)
            yield f"{case.claim.name}-rule", self.program.command(*given, "--rule", case.rule)
        for claim in self.own[:6]:
            file = self.program.write(f"explained/{claim.name}.json", claim.body)
            given = ("rules", "explain", file, "--received-on", claim.received_on)
            yield f"{claim.name}-fired", self.program.command(*given)
            yield f"{claim.name}-line-1", self.program.command(*given, "--line", "1")
            yield f"{claim.name}-json", self.program.command(*given, "--json")

    def _lookups(self) -> Iterator[Group]:
        yield Group("codes", self._codes)
        yield Group("prices", self._prices)
        for number, some in enumerate(_by(self.rule_ids, MOST_ITEMS)):
            yield Group(f"rules/documents-{number:02}", partial(self._read, "/v1/rules/", some))
        yield Group("rules/lists", self._rule_lists)
        yield Group("openapi", self._openapi)

    def _codes(self) -> Items:
        codes = (
            "77092", "77089", "77091", "77080", "77081", "77085", "77086", "99213", "93000", "36415", "G0438",
            "G0439", "97010", "A4253", "J1885", "20610", "66984", "90461", "00812", "0749T", "V2020", "99024",
            "98941", "D0120", "ZZZZZ", "99999", "7709", "g0130",
        )  # fmt: skip
        for code in codes:
            yield code, self.program.ask("GET", f"/v1/codes/{code}?date=20250312")
            yield f"{code}-2026", self.program.ask("GET", f"/v1/codes/{code}?date=2026-03-12&zip=35203&pos=22")
        for number, query in enumerate(("lineOfBusiness=commercial", "payer=60054", "lineOfBusiness=medicaid",
                                        "zip=0", "page=2&pageSize=1", "date=never", "payer=Sample+Medicare",
                                        "pos=99")):  # fmt: skip
            yield f"77089-{number}", self.program.ask("GET", f"/v1/codes/77089?date=20250312&{query}")
        for code in ("77089", "99213", "ZZZZZ"):
            yield f"{code}-text", self.program.command("codes", code, "--date", "2025-03-12", "--zip", "35203")
        yield "no-code", self.program.command("codes", "none", "--date", "2025-03-12")

    def _prices(self) -> Items:
        queries = ("code=77080&modifiers=26&zip=10019", "code=77080&modifiers=TC", "code=77092&units=2&pos=22",
                   "code=99213", "code=77089&participation=nonpar", "code=66984&modifiers=54&zip=35203",
                   "code=99213&taxonomy=363LF0000X",
                   "code=36415", "code=J1885&units=4", "code=00812&modifiers=AA", "code=97010", "code=ZZZZZ", "units=1",
                   "code=77080&charge=1.00", "code=77080&modifiers=50,26&qualifyingApm=true",
                   "code=99213&pos=19&zip=94105", "code=20610&modifiers=50",
                   "code=99213&lineOfBusiness=commercial", "code=77089&units=0")  # fmt: skip
        for day in ("20240612", "20250312", "20260312"):
            for number, query in enumerate(queries):
                yield f"{day}-{number:02}", self.program.ask("GET", f"/v1/price?{query}&date={day}")
        for words in ("77080 --modifiers 26 --zip 10019", "77092 --units 2 --participation nonpar", "ZZZZZ"):
            yield f"text-{words.split()[0]}", self.program.command("price", *words.split(), "--date", "2025-03-12")

    def _read(self, address: str, ids: Iterable[str]) -> Items:
        for each in ids:
            yield each, self.program.ask("GET", f"{address}{each}")

    def _rule_lists(self) -> Items:
        for name, query in (("all", ""), ("pack", "?pack=documentation"), ("severity", "?severity=deny"),
                            ("bad", "?stage=none"), ("category", "?category=coverage&status=active")):  # fmt: skip
            yield name, self.program.ask("GET", f"/v1/rules{query}")
        yield "releases", self.program.ask("GET", "/v1/reference")
        for name, words in (("text", ""), ("json", "--json"), ("pack", "--pack x12-837p"),
                            ("code", "--code 77092 --payer original-medicare --as-of 2025-03-12")):  # fmt: skip
            yield f"command-{name}", self.program.command("rules", "list", *words.split())

    def _openapi(self) -> Items:
        yield "openapi.json", self.program.ask("GET", "/openapi.json")

    def _commands(self) -> Iterator[Group]:
        yield Group("help", self.program.help_pages)
        yield Group("commands/scrub", self._scrub_commands)
        yield Group("commands/rules", self._rule_commands)
        yield Group("commands/reference", self._reference_commands)
        yield Group("commands/coverage", self._coverage)

    def _scrub_commands(self) -> Items:
        claims = [*self.varied[:15], *self.varied[15 :: max(1, len(self.varied) // 60)]]
        files = [self.program.write(f"scrubbed/{claim.name}.json", claim.body) for claim in claims]
        for name, words in (("table", ""), ("json", "--json"), ("clearinghouse", "--view clearinghouse"),
                            ("checks", "--include checks --include shadow"), ("strict", "--strict"),
                            ("disabled", "--disable documentation-tbs-number")):  # fmt: skip
            told = self.program.command("scrub", *files, "--received-on", RECEIVED_ON, *words.split())
            yield from _in_pieces(name, told)
        yield "standard-input", self.program.command("scrub", "-", "--received-on", RECEIVED_ON, stdin=self.own[0].body)
        for number, words in enumerate(("scrub", "scrub none.json", "scrub --enable none examples/tbs-abn.json",
                                        "scrub --view clearinghouse --include checks examples/tbs-abn.json",
                                        "version", "--version")):  # fmt: skip
            yield f"wrong-{number}", self.program.command(*words.split())

    def _rule_commands(self) -> Items:
        for rule in self.rule_ids[::8]:
            yield f"show-{rule}", self.program.command("rules", "show", rule)
        yield "show-json", self.program.command("rules", "show", self.rule_ids[0], "--json")
        yield "show-none", self.program.command("rules", "show", "none")
        yield "test", self.program.command("rules", "test")
        yield "test-two", self.program.command("rules", "test", *self.rule_ids[:2])
        yield "mutate", self.program.command("rules", "mutate", self.rule_ids[0], "--json")
        other = self._other_rules()
        yield "diff", self.program.command("rules", "diff", "rules", other)
        yield "diff-json", self.program.command("rules", "diff", "rules", other, "--json")
        yield "diff-none", self.program.command("rules", "diff", "rules", "rules")
        yield "changes", self.program.command("rules", "changes", "--against", other)

    def _other_rules(self) -> str:
        """A copy of the rules with a few changed: severities, versions, texts, a rule and a row of a table less."""
        rules = self.program.folder / "rules"
        for path in sorted(rules.rglob("*")):
            if path.is_file():
                self.program.write(f"other/{path.relative_to(rules)}", path.read_bytes())
        other = self.program.folder / "other"
        texts = {path: path.read_text() for path in sorted(other.glob("*/*/*.yaml"))}
        files = rule_files(other)
        for number, path in enumerate(files[:: len(files) // 6]):
            text = texts[path]
            if number % 2:
                text = re.sub(r"(?m)^fix: (>-\n +|[\"']?)", r"fix: \1First look at the claim. ", text)
            else:
                text = text.replace("severity: deny", "severity: warn").replace("version: 1\n", "version: 2\n")
            path.write_text(text)
        # A rule that no other file names can go.
        gone = next(path for path in files if sum(path.stem in text for text in texts.values()) == 1)
        gone.with_name(f"{gone.stem}.test.yaml").unlink()
        gone.unlink()
        table = other / "payer-coverage/tables/policies.csv"
        table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
        return "other"

    def _reference_commands(self) -> Items:
        for words in ("list", "status --date 2025-03-12", "load", "load none none.txt", "drop none none"):
            yield f"reference-{words.replace(' ', '-')}", self.program.command("reference", *words.split())

    def _coverage(self) -> Items:
        """Which conditions the test cases make true and false: all of them run for it."""
        told = self.program.command("rules", "coverage", *self.rule_ids, "--json")
        rules = json.loads(told.partition(b"\n")[2])["rules"]
        for number, some in enumerate(_by(rules, len(rules) // 90 + 1)):
            yield f"json-{number:02}", dumped(some)
        yield "text", self.program.command("rules", "coverage", *self.rule_ids[:10])

    def _many(self) -> Iterator[Group]:
        yield Group("batches/file", self._file)
        yield Group("batches/service", self._service)
        yield Group("back-test", self._back_test)

    def _rows(self) -> bytes:
        """A body of a batch: claims of each sort, rows that are no claims, and an empty one."""
        rows = [claim.body for claim in self.varied if b"\n" not in claim.body]
        return b"\n".join([*rows[:50], b"junk", b"", b"[]", *rows[50:]]) + b"\n"

    def _file(self) -> Items:
        self.program.write("night.ndjson", self._rows())
        told = self.program.process(
            "scrub", "night.ndjson", "-o", "results.ndjson", "--received-on", RECEIVED_ON, "--jobs", "1"
        )
        yield "command", told
        yield from _in_pieces("results", self.program.read("results.ndjson"))

    def _service(self) -> Items:
        queries = {"document": "", "results": "/results", "csv": "/results?format=csv", "summary": "/summary",
                   "denied": "/results?disposition=deny", "after": "/results?after=20", "wrong": "/results?format=none",
                   "deny-csv": "/results?disposition=deny&format=csv"}  # fmt: skip
        array = dumped([json.loads(claim.body) for claim in self.own if claim.body.startswith(b"{")])
        bodies = {"lines": (self._rows(), NDJSON), "array": (array, JSON)}
        for name, told in self.program.batches(bodies, queries):
            yield from _in_pieces(name, told)

    def _back_test(self) -> Items:
        past = [claim for kind in ("sound", "wrong") for claim in self.generated[kind][:150]]
        self.program.write("past.ndjson", b"".join(b"%b\n" % claim.body for claim in past))
        self.program.write("remits.csv", _remittances(past))
        given = ("--claims", "past.ndjson", "--remits", "remits.csv", "--run-on", BACK_TEST_DAY, "--jobs", "1")
        for name, words in (
            ("in-force", ()),
            ("folder", ("--rules", "other/")),
            ("rule", ("--rules", self.rule_ids[0])),
        ):
            if name == "folder":
                self._other_rules()
            report = f"report-{name}"
            yield name, self.program.process("rules", "backtest", *given, *words, "--report", report)
            yield f"{name}-json", self.program.read(f"{report}/report.json")
            yield f"{name}-html", self.program.read(f"{report}/report.html")
        yield "printed-json", self.program.process("rules", "backtest", *given, "--json")


def _generated(kind: str, number: int) -> Claim:
    _, make = KINDS[kind]
    return Claim(f"{kind}-{number:04}", dumped(make(chance_of(kind, number))))


def _claim_bodies(claims: Iterable[tuple[Claim, CaseClaim | None]]) -> Items:
    for claim, _ in claims:
        yield claim.name, claim.body


def _findings(answer: bytes) -> bytes:
    """The findings of an answer, without what was not checked."""
    return _body(answer).partition(b'"findings":')[2].partition(b'"notChecked":[')[0]


def _body(answer: bytes) -> bytes:
    return answer.partition(b"\n\n")[2]


def _in_pieces(name: str, told: bytes, most: int = 12) -> Items:
    """What is long, in pieces of whole lines, so that a difference is found sooner."""
    lines = told.splitlines(keepends=True)
    for number, some in enumerate(_by(lines, max(1, -(-len(lines) // most)))):
        yield f"{name}-{number:02}", b"".join(some)


def _remittances(claims: Iterable[Claim]) -> bytes:
    """What payers answered to most of these claims: paid in full, in part, or denied for one of a few reasons."""
    rows = ["claim,line,charge,paid,group,reason,amount"]
    chance = random.Random("remittances")
    for claim in claims:
        information = json.loads(claim.body)["claimInformation"]
        for number, line in enumerate(information.get("serviceLines") or [], 1):
            charge = (line.get("professionalService") or {}).get("lineItemChargeAmount")
            if charge is None or not re.fullmatch(r"[0-9]{1,6}\.[0-9]{2}", str(charge)) or chance.random() < 0.2:
                continue
            cents = int(charge.replace(".", ""))
            paid = chance.choice((0, 0, cents // 2, cents))
            reason = chance.choice(("97", "236", "16", "50", "45") if not paid else ("45",))
            left = f"{(cents - paid) // 100}.{(cents - paid) % 100:02}"
            number_of = information.get("patientControlNumber") or ""
            rows.append(f"{number_of},{number},{charge},{paid // 100}.{paid % 100:02},CO,{reason},{left}")
    return "\n".join(rows).encode() + b"\n"


def _by(items: Iterable[T], most: int) -> Iterator[tuple[T, ...]]:
    left = iter(items)
    while some := tuple(islice(left, most)):
        yield some
