"""What every benchmark needs: distributions, processes' use of the machine, tables and result files."""
