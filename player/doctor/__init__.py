"""The doctor: looks at everything a show needs before the doors open, and says what to mend."""
