fn main() {
    stairway_build::discover("src/revisions");
}
