@echo off
rem Runs the stairway command line of this project, from any directory:
rem
rem   scripts\migrate.bat status
rem   scripts\migrate.bat create "Add user preferences table"
rem
rem All arguments are passed on as they are, and the exit code is the command's own. The command
rem runs in the project's root, the directory above this one.
rem
rem What is run: STAIRWAY_BIN if it is set; else cargo builds it if need be and runs it; else, where
rem there is no cargo, the binary in target\release or target\debug; else stairway on PATH.
setlocal
pushd "%~dp0.."
if defined STAIRWAY_BIN goto given
if not exist Cargo.toml goto built
where /q cargo
if errorlevel 1 goto built
cargo run --quiet --bin stairway -- %*
goto done

:given
"%STAIRWAY_BIN%" %*
goto done

:built
if exist target\release\stairway.exe goto release
if exist target\debug\stairway.exe goto debug
stairway %*
goto done

:release
target\release\stairway.exe %*
goto done

:debug
target\debug\stairway.exe %*

:done
set code=%ERRORLEVEL%
popd
exit /b %code%
