"""English words, Swedish ways: the day before the month, a space between thousands, a 24-hour clock."""

DATE_FORMAT = "j F Y"
TIME_FORMAT = "G.i"
DATETIME_FORMAT = "j F Y, G.i"
YEAR_MONTH_FORMAT = "F Y"
MONTH_DAY_FORMAT = "j F"
SHORT_DATE_FORMAT = "Y-m-d"
SHORT_DATETIME_FORMAT = "Y-m-d G.i"
FIRST_DAY_OF_WEEK = 1

DATE_INPUT_FORMATS = ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y"]
TIME_INPUT_FORMATS = ["%H.%M", "%H:%M", "%H"]
DATETIME_INPUT_FORMATS = ["%Y-%m-%d %H.%M", "%Y-%m-%d %H:%M"]

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = "\xa0"
NUMBER_GROUPING = 3
