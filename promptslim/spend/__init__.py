"""What calls cost with the traffic that a team has."""
