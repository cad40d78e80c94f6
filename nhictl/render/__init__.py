"""Values to text: for people, scripts, pull requests and CI. A side branch: nothing comes back from here."""
