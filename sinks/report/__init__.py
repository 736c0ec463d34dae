"""The report of a period: its numbers (`findings`), and a page of them (`page`) that needs no network."""
