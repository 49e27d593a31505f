//! Completions for shells and the man page, from the same definition as `--help`.

use crate::version::VERSION;
use clap::Command;
use clap_complete::Shell;

/// The whole command line, in which the flags of a run may stand without the word `run`.
fn whole(command: Command) -> Command {
    let run = command.find_subcommand("run");
    let flags: Vec<clap::Arg> = run
        .into_iter()
        .flat_map(Command::get_arguments)
        .cloned()
        .collect();
    command
        .version(VERSION)
        .args(flags)
        .subcommand_required(false)
}

/// A script that completes commands and flags in a shell.
pub(super) fn completions(command: Command, shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole(command), "meshload", &mut script);
    script
}

/// The man page.
pub(super) fn man_page(command: Command) -> Vec<u8> {
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    let _ = clap_mangen::Man::new(whole(command)).render(&mut page);
    page
}
