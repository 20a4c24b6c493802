"""What a rate of rides needs and costs on AWS. Nothing here calls AWS."""
