"""Watches over the whole population: incidents of cells and of billing, peaks of churn.

They stand here and not among `detectors/`, whose registry holds what is said of one customer from the features of that
customer's row: a watch looks at many customers at once, keeps its own counts and normals, and says one thing for all.
What a customer's row shows of it are the features `incident_open`, `days_since_incident` and `incidents_30d`, and the reason
of a warning.
"""
