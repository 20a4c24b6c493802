from streams.errors import place_of


def test_place_of_an_error_is_where_it_was_raised_without_its_message() -> None:
    """What a log may hold: the type, the file and the line, and nothing that the error says."""

    def fail() -> None:
        raise ValueError("a ride from 130 to 205")

    try:
        fail()
    except ValueError as error:
        place = place_of(error)

    line = fail.__code__.co_firstlineno + 1
    assert place == f"ValueError at {__file__}:{line}"
