"""The inspection regimes: what is due when, filled by what telemetry proves, signed by people."""
