"""The errors that reach the operator."""

from l4d.errors import ConfigError, L4dError, Problem, StartError


def test_a_problem_reads_like_a_compilers() -> None:
    problem = Problem("l4d.toml", 6, "listeners.pg.upstrem", "no such key")
    assert str(problem) == "l4d.toml:6: listeners.pg.upstrem: no such key"


def test_a_problem_of_a_whole_file_has_neither_line_nor_key() -> None:
    assert str(Problem("l4d.toml", 0, "", "is empty")) == "l4d.toml: is empty"


def test_problems_are_in_the_order_of_files_and_lines() -> None:
    late, early, other = Problem("a", 9, "k", "m"), Problem("a", 2, "z", "m"), Problem("b", 1, "k", "m")
    assert sorted([other, late, early]) == [early, late, other]


def test_a_config_error_tells_all_problems_one_a_line() -> None:
    error = ConfigError(Problem("a", line, "", "wrong") for line in (1, 2))
    assert str(error) == "a:1: wrong\na:2: wrong"
    assert len(error.problems) == 2


def test_a_start_error_tells_all_that_was_in_the_way() -> None:
    error = StartError("port 80 is taken", "no right to bind port 81")
    assert str(error) == "port 80 is taken\nno right to bind port 81"
    assert error.messages == ("port 80 is taken", "no right to bind port 81")


def test_the_exit_status_tells_whose_error_it_was() -> None:
    assert ConfigError([]).exit_status == 78
    assert StartError("").exit_status == 1
    assert issubclass(ConfigError, L4dError)
    assert issubclass(StartError, L4dError)
