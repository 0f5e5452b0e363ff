"""The cells of a point table as people write them → what a profile file says. Pure.

Each function takes the text of a cell and raises :class:`CellError` with what is wrong and the
mend.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.profile import ByteOrder, Function, RegisterType
from gateway.table.words import FUNCTIONS, KINDS, NO, ORDERS, TYPES, UNITS, YES

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?")
_STATE = re.compile(r"(?:^|(?<=[;；,，、|/\s(（]))\s*(0x[0-9a-f]{1,8}|\d{1,9})\s*[=:：-]\s*", re.I)
_MODICON = {"1": Function.DISCRETE, "3": Function.INPUT, "4": Function.HOLDING}
_OFTEN_MODICON = re.compile(r"[134](?:\d{4}|\d{5})")
_LARGEST = 2**63


class CellError(Exception):
    def __init__(self, wrong: str, mend: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.mend = mend


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    number: int
    count: int | None = None
    """Registers, where a range is written."""
    bit: int | None = None
    modicon: Function | None = None
    """The table that the number names if it is in Modicon notation, such as 40001."""
    sure: bool = False
    """Whether it can be nothing else than Modicon notation: 4x0001."""
    is_hex: bool = False

    @property
    def base(self) -> int:
        """The Modicon number of the first register of the table, of as many digits."""
        if self.modicon is Function.COIL:
            return 1
        digits = str(self.number)
        return int(f"{digits[0]}{'0' * (len(digits) - 2)}1")


def plain(text: str) -> str:
    """``text`` with narrow digits and signs, on one line, without spaces at its ends."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def word(text: str) -> str:
    """``text`` as words are compared: small letters, no spaces, no hyphens."""
    return re.sub(r"[\s_\-.·]+", "", plain(text)).lower()


def address(text: str, *, is_hex: bool = False) -> Address:
    """``0x10``, ``10H``, ``40001``, ``4x0001``, ``40001.3``, ``40001-40002``.

    ``is_hex``: the heading says that all are hexadecimal.
    """
    said = plain(text).replace(" ", "").lower()
    parts = re.split(r"(?<=[0-9a-fh])[-~–—至到](?=[0-9x])", said)
    if len(parts) == 2:
        first, last = (address(part, is_hex=is_hex) for part in parts)
        if last.number < first.number or last.number - first.number > 124:
            raise CellError(f"{text!r} is no range of registers", "write the first register alone")
        count = last.number - first.number + 1
        return Address(
            number=first.number, count=count, modicon=first.modicon, sure=first.sure,
            is_hex=first.is_hex,
        )  # fmt: skip
    match = re.fullmatch(r"(.+?)(?:[.:](?:bit|b)?|bit)(\d{1,2})", said)
    if match is not None:
        whole = address(match[1], is_hex=is_hex)
        return Address(
            number=whole.number, bit=int(match[2]), modicon=whole.modicon, sure=whole.sure,
            is_hex=whole.is_hex,
        )  # fmt: skip
    return _single(said, text, is_hex=is_hex)


def _single(said: str, text: str, *, is_hex: bool) -> Address:
    match = re.fullmatch(r"0x([0-9a-f]{1,5})|([0-9a-f]{1,5})h", said)
    if match is not None:
        return Address(number=int(match[1] or match[2], 16), is_hex=True)
    match = re.fullmatch(r"([134])x(\d{1,5})", said)
    if match is not None:
        digits = 4 if len(match[2]) < 5 else 5
        number = int(match[1]) * 10**digits + int(match[2])
        return Address(number=number, modicon=_MODICON[match[1]], sure=True)
    if is_hex and re.fullmatch(r"[0-9a-f]{1,5}", said):
        return Address(number=int(said, 16), is_hex=True)
    if re.fullmatch(r"\d{1,6}", said):
        return Address(number=int(said), modicon=_modicon(said))
    if re.fullmatch(r"[0-9a-f]{2,5}", said):
        raise CellError(
            f"{text!r} looks hexadecimal without saying so",
            f"write 0x{said.upper()} (and the others so too), or (hex) in the heading",
        )
    raise CellError(
        f"{text!r} is no register",
        "write a number: 40001, 4x0001, 0x0010 or 10H, with .3 for bit 3",
    )


def _modicon(digits: str) -> Function | None:
    if len(digits) == 5 and digits.startswith("0") and int(digits) > 0:
        return Function.COIL
    if _OFTEN_MODICON.fullmatch(digits) and 0 < int(digits[1:]) <= 65536:
        return _MODICON[digits[0]]
    return None


def function(text: str) -> Function:
    """``3``, ``03H``, ``FC03``, ``03/06`` (reading counts), or the table's name."""
    said = word(text)
    if said in FUNCTIONS:
        return FUNCTIONS[said]
    parts = [part for part in re.split(r"[/,、，;；&+和()（）读写rw:：]+", said) if part]
    codes = [re.fullmatch(r"(?:fc|功能码)?(?:0x)?([0-9a-f]{1,2})h?", part) for part in parts]
    if all(codes):
        for code in codes:
            for one in Function:
                if code is not None and int(code[1], 16) == one.code:
                    return one
    raise CellError(
        f"{text!r} is no function to read with", "write 1 coil, 2 discrete, 3 holding or 4 input"
    )


def number(text: str, *, comma: bool = True) -> float:
    """A number; ``0,1`` is taken for 0.1 where that is sure."""
    said = plain(text).replace(" ", "").lower()
    if comma and re.fullmatch(r"[+-]?\d+,\d+", said):
        if len(said.split(",")[1]) == 3:
            mend = f"write {said.replace(',', '')} or {said.replace(',', '.')}"
            raise CellError(f"{text!r} can be a thousand or a fraction", mend)
        said = said.replace(",", ".")
    if not _NUMBER.fullmatch(said) or abs(float(said)) > 1e300:
        raise CellError(f"{text!r} is no number", "write digits, such as 0.1")
    return float(said)


def scale(text: str) -> float:
    """``0.1``, ``×0.1``, ``÷10``, ``/10``, ``1/10``."""
    said = plain(text).replace(" ", "").lower()
    match = re.fullmatch(r"1?[÷/](.+)", said)
    if match is not None:
        divisor = number(match[1])
        if divisor == 0:
            raise CellError(f"{text!r} divides by nothing", "write the factor, such as 0.1")
        return 1 / divisor
    return number(re.sub(r"^[×x*]", "", said) if said else text)


def whole(text: str) -> int:
    """A whole number, decimal, ``0x…`` or ``…H``."""
    said = plain(text).replace(" ", "").lower()
    match = re.fullmatch(r"0x([0-9a-f]{1,16})|([0-9a-f]{1,16})h", said)
    if match is not None:
        return int(match[1] or match[2], 16)
    if not re.fullmatch(r"[+-]?\d{1,20}(?:\.0*)?", said):
        raise CellError(f"{text!r} is no whole number", "write digits, or 0x… for hexadecimal")
    return int(said.split(".")[0])


def wholes(text: str) -> tuple[int, ...]:
    return tuple(whole(part) for part in re.split(r"[;；,，、/\s]+", text.strip()) if part)


def kind_of_register(text: str) -> tuple[RegisterType, bool, ByteOrder | None]:
    """Type, whether the number of registers may widen it, and the byte order if it says one."""
    said = word(text)
    found: ByteOrder | None = None
    match = re.search(r"abcd|cdab|badc|dcba|swap(?:ped)?|inversed?$|inverse", said)
    if match is not None and said != match[0]:
        found = order(match[0])
        said = re.sub(r"[()（）\[\]]", "", said.replace(match[0], ""))
    said = re.sub(r"[()（）\[\],，]", "", said)
    for pattern, kind, widens in TYPES:
        if re.fullmatch(pattern, said):
            return kind, widens, found
    known = ", ".join(kind.value for kind in RegisterType)
    raise CellError(f"{text!r} is no known type", f"use one of {known}")


def order(text: str) -> ByteOrder:
    said = re.sub(r"[()（）,，/\\]", "", word(text))
    for pattern, found in ORDERS:
        if re.fullmatch(pattern, said):
            return found
    raise CellError(f"{text!r} is no byte order", "use ABCD, CDAB, BADC or DCBA")


def kind_of_point(text: str) -> str:
    found = KINDS.get(word(text))
    if found is None:
        raise CellError(f"{text!r} is no kind of point", "use number, flag, state or text")
    return found


def bits(text: str) -> tuple[int, int | None]:
    """``3``, ``bit3``, ``b3`` or ``0-3``: lowest bit, and width where there are several."""
    said = re.sub(r"bit|位|b", "", word(text.replace("-", "~").replace("—", "~")))
    match = re.fullmatch(r"(\d{1,2})(?:[~:至到](\d{1,2}))?", said)
    if match is None:
        raise CellError(f"{text!r} is no bit", "write 0 (least) to 15, or 0-3 for several")
    if match[2] is None:
        return int(match[1]), None
    low, high = sorted((int(match[1]), int(match[2])))
    return low, (high - low + 1 if high > low else None)


def unit(text: str) -> tuple[str, float | None]:
    """The unit, and a scale that is written before it: ``0.1V``."""
    said = " ".join(text.split())
    match = re.fullmatch(r"(\d*\.\d+|10{0,6})\s*[*×]?\s*([^\d\s.*×].*)", said)
    factor = None
    if match is not None:
        factor, said = float(match[1]), match[2]
    return UNITS.get(said, said), factor


def span(text: str) -> tuple[float, float]:
    """``0~500``, ``-40…80``, ``0-100``."""
    match = re.fullmatch(
        r"[\[(]?([+-]?[\d.]+)[^\d.+-]*?(?:~|…|\.\.\.?|-|–|—|至|到|to|,|\s)[^\d.+-]*?"
        r"([+-]?[\d.]+)[^\d]*",
        plain(text).replace("...", "…"),
    )
    if match is None:
        raise CellError(f"{text!r} is no range", "write it as 0~500")
    return number(match[1]), number(match[2])


def states(text: str) -> Mapping[int, Mapping[str, str]]:
    """``0=停止|Stopped; 1=运行|Running``, ``0:停止 1:运行``, or JSON as an export writes it."""
    if text.lstrip().startswith("{"):
        return _states_of_json(text)
    said = " ".join(text.split())
    found = list(_STATE.finditer(said))
    before = said[: found[0].start()].strip() if found else ""
    if not found or before not in ("", "(", "（"):
        raise CellError(f"{text!r} names no states", "write them as 0=停止|Stopped; 1=运行|Running")
    named: dict[int, Mapping[str, str]] = {}
    for at, match in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(said)
        label = said[match.end() : end].strip().rstrip(";；,，、|/ ")
        if before and end == len(said):
            label = label.removesuffix(")").removesuffix("）")
        zh, _, en = (part.strip() for part in label.partition("|"))
        code = int(match[1], 0) if match[1].lower().startswith("0x") else int(match[1])
        if not zh or code in named:
            wrong = f"state {code} is named twice" if code in named else f"state {code} has no name"
            raise CellError(wrong, "name each once: 0=停止; 1=运行")
        named[code] = {"zh": zh, "en": en or zh}
    return named


def _states_of_json(text: str) -> Mapping[int, Mapping[str, str]]:
    try:
        told = json.loads(text)
        return {int(code): {"zh": str(t["zh"]), "en": str(t["en"])} for code, t in told.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CellError("is no JSON of states", "write them as 0=停止; 1=运行") from None


def yes(text: str) -> bool:
    said = plain(text).lower()
    if said in YES:
        return True
    if said in NO:
        return False
    raise CellError(f"{text!r} is neither yes nor no", "write yes or no")
