"""docs/conformance/smart.md says what is so."""

from pathlib import Path

from tests.named import exists
from tests.smart.requirements import REQUIREMENTS, documentation

ROOT = Path(__file__).parents[2]
NUMBERS = """
14 15 16 17 18 24 30 31 48 49 53 54 56 57 59 73 74 75 77 78 84 85 86 87 88 89 94 95 96 100 101
103 104 109 110 111 112 113 114 115 119 123 130 136 139 140 142 144 149 164 168 169 170 171 172
173 174 175 176 177 178 188 194 197 198 200 205 207 209 210 228 231 240 241 247 249 250 251 253
254 255 256 258 259 261 265 266 271 272 273 274 275 276 277 278 279 282 283 285 286 287 288 289
296 297 305 310 316 335 336 337 338 339 340 341 342 344 348 349 350 351 352 353 354 355 356 357
358 359 360 361 362 363 364 365 366 367 368 369 370 371 372 373 374 377 378 380 381 382 383 384
385 393 394 396 398 400 402 403 405 409 410 412 417 418 419 421 423 430 431 432 436
"""
"""What the specification demands of a server, by number."""


def test_every_requirement_is_there_once() -> None:
    numbers = [number for each in REQUIREMENTS for number in each.numbers]
    assert sorted(numbers) == sorted(map(int, NUMBERS.split()))


def test_every_requirement_is_tried_or_explained() -> None:
    for each in REQUIREMENTS:
        assert bool(each.tests) != bool(each.because), each.asks


def test_every_test_that_is_named_exists() -> None:
    for test in {test for each in REQUIREMENTS for test in each.tests}:
        assert exists(test.replace("::", "::test_")), test


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "conformance" / "smart.md").read_text("utf-8") == documentation()


def test_the_documentation_tells_about_linked_patients() -> None:
    assert "Patient.link" in (ROOT / "docs" / "smart.md").read_text("utf-8")
