"""Plain tables fit the width."""

from hypothesis import given
from hypothesis import strategies as st

from nhictl.render import tables


def test_columns_are_aligned():
    """Cells start where their heading does."""
    assert tables.render(("A", "NAME"), [("1", "x"), ("22", "決")], 80) == "A   NAME\n1   x\n22  決"


def test_the_widest_column_is_cut_first():
    """Short columns stay whole."""
    text = tables.render(("A", "B"), [("short", "y" * 100)], 40)
    assert "short" in text
    assert max(map(len, text.split("\n"))) == 40


@given(st.lists(st.tuples(st.text(max_size=50), st.text(max_size=50), st.text(max_size=9)), max_size=5))
def test_a_table_has_a_line_per_row_and_fits(rows: list[tuple[str, str, str]]):
    """Hostile cells add no line and no column."""
    from nhictl.render.text import columns

    lines = tables.render(("A", "B", "C"), rows, 60).split("\n")
    assert len(lines) == len(rows) + 1
    assert all(columns(line) <= 60 for line in lines)
