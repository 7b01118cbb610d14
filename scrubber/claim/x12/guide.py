"""Which segments and loops the guide for professional claims (005010X222A1) has in each loop, in order, how often."""

from __future__ import annotations

from typing import Final

# The element that says what a segment is for, where one segment id has several uses in a loop.
QUALIFIED = frozenset(("NM1", "REF", "DTP", "AMT", "NTE", "CRC", "QTY"))

# One loop a row, without the segment that opens it: `ID`, or `ID:qualifier,qualifier`; `/n` how often in all (else
# once), `>loop` the loop that it opens. Segments with one id stand in any order among themselves. Forms (LQ) have no
# limit in the guide: their number is that of all segments that are read of a claim.
_LOOPS = {
    "HEADER": "BHT NM1:41>1000A NM1:40>1000B",
    "1000A": "PER/2",
    "1000B": "",
    "2000A": "PRV CUR NM1:85>2010AA NM1:87>2010AB NM1:PE>2010AC",
    "2010AA": "N3 N4 REF:EI,SY REF:0B,1G/2 PER/2",
    "2010AB": "N3 N4",
    "2010AC": "N3 N4 REF:2U,FY,NF REF:EI",
    "2000B": "SBR PAT NM1:IL>2010BA NM1:PR>2010BB",
    "2010BA": "N3 N4 DMG REF:SY REF:Y4 PER",
    "2010BB": "N3 N4 REF:2U,EI,FY,NF/3 REF:G2,LU/2",
    "2000C": "PAT NM1:QC>2010CA",
    "2010CA": "N3 N4 DMG REF:Y4 REF:1W,SY PER",
    "2300": (
        "DTP:431 DTP:454 DTP:304 DTP:453 DTP:439 DTP:484 DTP:455 DTP:471 DTP:314,360,361 DTP:297 DTP:296 DTP:435"
        " DTP:096 DTP:090,091/2 DTP:444 DTP:050 PWK/10 CN1 AMT:F5 REF:4N REF:F5 REF:EW REF:9F REF:G1 REF:F8 REF:X4"
        " REF:9A REF:9C REF:LX REF:D9 REF:EA REF:P4 REF:1J K3/10 NTE:ADD,CER,DCP,DGN,TPO CR1 CR2"
        " CRC:07/3 CRC:E1,E2,E3/3 CRC:75 CRC:ZZ HI/4 HCP"
        " NM1:DN,P3>2310A/2 NM1:82>2310B NM1:77>2310C NM1:DQ>2310D NM1:PW>2310E NM1:45>2310F SBR>2320/10"
        " LX>2400/50"
    ),
    "2310A": "REF:0B,1G,G2/3",
    "2310B": "PRV REF:0B,1G,G2,LU/4",
    "2310C": "N3 N4 REF:0B,G2,LU/3 PER",
    "2310D": "REF:0B,1G,G2,LU/4",
    "2310E": "N3 N4",
    "2310F": "N3 N4",
    "2320": (
        "CAS/5 AMT:D AMT:A8 AMT:EAF OI MOA NM1:IL>2330A NM1:PR>2330B NM1:DN,P3>2330C/2 NM1:82>2330D NM1:77>2330E"
        " NM1:DQ>2330F NM1:85>2330G"
    ),
    "2330A": "N3 N4 REF:SY",
    "2330B": "N3 N4 DTP:573 REF:2U,EI,FY,NF/2 REF:G1 REF:9F REF:T4 REF:F8",
    "2330C": "REF:0B,1G,G2/3",
    "2330D": "REF:0B,1G,G2,LU/3",
    "2330E": "REF:0B,G2,LU/3",
    "2330F": "REF:0B,1G,G2,LU/3",
    "2330G": "REF:G2,LU/2",
    "2400": (
        "SV1 SV5 PWK/11 CR1 CR3 CRC:07/3 CRC:70 CRC:09 DTP:472 DTP:471 DTP:607 DTP:463 DTP:461 DTP:304 DTP:738,739/2"
        " DTP:011 DTP:455 DTP:454 QTY:PT QTY:FL MEA/5 CN1 REF:9B REF:9D REF:G1/5 REF:6R REF:EW REF:X4 REF:F4 REF:BT"
        " REF:9F/5 AMT:T AMT:F4 K3/10 NTE:ADD,DCP NTE:TPO PS1 HCP LIN>2410 NM1:82>2420A NM1:QB>2420B NM1:77>2420C"
        " NM1:DQ>2420D NM1:DK>2420E NM1:DN,P3>2420F/2 NM1:PW>2420G NM1:45>2420H SVD>2430/15 LQ>2440/20000"
    ),
    "2410": "CTP REF:VY,XZ",
    "2420A": "PRV REF:0B,1G,G2,LU/20",
    "2420B": "REF:0B,1G,G2/20",
    "2420C": "N3 N4 REF:G2,LU/3",
    "2420D": "REF:0B,1G,G2,LU/20",
    "2420E": "N3 N4 REF:0B,1G,G2/20 PER",
    "2420F": "REF:0B,1G,G2/20",
    "2420G": "N3 N4",
    "2420H": "N3 N4",
    "2430": "CAS/5 DTP:573 AMT:EAF",
    "2440": "FRM/99",
}


# Segments that the guide requires wherever their loop stands, and that no check of elements misses; NM1 by the
# loop that it opens.
REQUIRED: Final = {
    "HEADER": ("BHT",),
    **dict.fromkeys(("2010AB", "2010AC", "2010CA", "2310C", "2310E", "2310F", "2420C", "2420G", "2420H"), ("N3", "N4")),
    "2320": ("OI", "2330A", "2330B"),
    **dict.fromkeys(("2330C", "2330D", "2330E", "2330F", "2330G"), ("REF",)),
    "2410": ("CTP",),
    "2430": ("DTP",),
    "2440": ("FRM",),
}

# Elements that the guide requires wherever their segment stands, by its id; in some loops there are more of them.
_ELEMENTS = {
    "BHT": (1, 2, 3, 4, 5, 6), "PER": (1, 3, 4), "PRV": (1, 2, 3), "CUR": (1, 2), "N3": (1,), "N4": (1,), "REF": (1, 2),
    "NM1": (1, 2), "SBR": (1,), "DMG": (1, 2, 3), "DTP": (1, 2, 3), "PWK": (1, 2), "CN1": (1,), "AMT": (1, 2),
    "K3": (1,), "NTE": (1, 2), "CR1": (4, 5, 6), "CR2": (8,), "CR3": (1, 2, 3), "CRC": (1, 2, 3), "HI": (1,),
    "HCP": (1, 2), "CAS": (1, 2, 3), "OI": (3, 6), "LX": (1,), "SV1": (1, 2, 3, 4, 7), "SV5": (1, 2, 3, 4, 5, 6),
    "QTY": (1, 2), "MEA": (1, 2, 3), "PS1": (1, 2), "LIN": (2, 3), "CTP": (4, 5), "SVD": (1, 2, 3, 5), "LQ": (1, 2),
    "FRM": (1,),
}  # fmt: skip
_IDENTIFIED = ("1000A", "1000B", "2010AC", "2010BA", "2010BB", "2330A", "2330B")
_WITH_NAME = ("2010AA", "2010CA", *(f"2310{letter}" for letter in "ABCD"), *(f"2420{letter}" for letter in "ACDEF"))
_MORE_ELEMENTS = {
    **dict.fromkeys([f"{loop} NM1" for loop in _IDENTIFIED], (3, 8, 9)),
    **dict.fromkeys([f"{loop} NM1" for loop in _WITH_NAME], (3,)),
    "2320 SBR": (2,),
    "2000C PAT": (1,),
}
# What the checks of elements miss where it is not there.
CHECKED_ELEMENTS = {
    "1000A NM1": (3,), "1000B NM1": (3,), "2010AA NM1": (3,), "2010CA NM1": (3,),
    "1000A PER": (3, 4), "2010AA N3": (1,), "2010AA N4": (1,), "2010AA REF": (2,), "2000B SBR": (1,), "2000C PAT": (1,),
    "2010BA NM1": (3, 9), "2010BB NM1": (3,), "2010BA DMG": (2, 3), "2010CA DMG": (2, 3), "2300 HI": (1,),
    "2400 SV1": (1, 2, 3, 4, 7), "2400 DTP:472": (3,),
}  # fmt: skip


def _elements(loop: str, name: str, qualifiers: str) -> tuple[int, ...]:
    """The elements that a segment must have in a loop, but those that are checked otherwise."""
    needed = {*_ELEMENTS.get(name, ()), *_MORE_ELEMENTS.get(f"{loop} {name}", ())}
    for key in (f"{loop} {name}", f"{loop} {name}:{qualifiers}"):
        needed -= {*CHECKED_ELEMENTS.get(key, ())}
    return tuple(sorted(needed))


class Use:
    """What one segment is in one loop: `position` in the order there, `most` times, the loop that it `opens` or "".

    `index` counts the uses of a loop; `required` are the elements that the segment must have.
    """

    def __init__(self, position: int, most: int, opens: str, index: int = 0, required: tuple[int, ...] = ()) -> None:
        self.position = position
        self.most = most
        self.opens = opens
        self.index = index
        self.required = required


class LoopGuide:
    """The segments of one loop: `uses` by their ids, with the qualifier where that decides
    (`REF*G1`); `names` are their ids with the position of each.

    `count` is how many uses there are; one more stands for those whose qualifier is none of the guide.
    """

    def __init__(self, name: str, row: str) -> None:
        self.name = name
        self.uses: dict[str, Use] = {}
        self.names: dict[str, int] = {}
        self.count = 1
        self._qualified: dict[str, dict[str, Use]] = {}
        for entry in row.split():
            self._add(entry)

    def _add(self, entry: str) -> None:
        entry, _, most = entry.partition("/")
        entry, _, opens = entry.partition(">")
        name, _, qualifiers = entry.partition(":")
        position = self.names.setdefault(name, len(self.names) + 1)
        required = _elements(opens or self.name, name, qualifiers)
        use = Use(position, int(most or 1), opens, self.count, required)
        self.count += 1
        for qualifier in qualifiers.split(",") if qualifiers else ():
            self.uses[f"{name}*{qualifier}"] = use
            self._qualified.setdefault(name, {})[qualifier] = use
        if not qualifiers:
            self.uses[name] = use

    def use(self, elements: list[str]) -> Use | None:
        """What a segment is here: one of `uses`, found without putting its key together."""
        name = elements[0]
        qualified = self._qualified.get(name)
        if qualified is None:
            return self.uses.get(name)
        return qualified.get(elements[1]) if len(elements) > 1 else None


LOOPS: Final = {name: LoopGuide(name, row) for name, row in _LOOPS.items()}
SEGMENTS: Final = frozenset(
    [
        "ISA",
        "IEA",
        "GS",
        "GE",
        "ST",
        "SE",
        "TA1",
        "HL",
        "CLM",
        *(name for loop in LOOPS.values() for name in loop.names),
    ]
)
