//! Properties of the files as a whole.

mod bugs;
mod damage;
mod durability;
mod host;
