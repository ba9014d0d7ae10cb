"""A world: one person, their plan, and everything it hangs together with, put down in a few lines.

Every method adds one resource and returns its reference. Elements given by keyword replace those of
the builder. Days are as in the story: the plan begins on 1 September 2025 unless it says otherwise.
"""

from tests.worlds.agreement import Agreement
from tests.worlds.person import Person
from tests.worlds.wishes import Wishes


class World(Person, Wishes, Agreement):
    """`who` is the id of the person; `worker` the role of the key worker."""
