"""The Label panel: labels, segments ranked by answers, frames to review, disagreements."""
