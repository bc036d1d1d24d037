@echo off
rem install.bat [FOLDER] - the player and its show from this folder, without a network.
rem Needs Python @PYTHON@ for 64-bit Windows, installed with its launcher "py". Not tried on Windows.
setlocal
set "STICK=%~dp0"
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%USERPROFILE%\inspace-ballads"
py -@PYTHON@ -c "pass" 2>nul
if errorlevel 1 goto nopython
echo install: looking whether every file is whole
py -@PYTHON@ "%STICK%check.py"
if errorlevel 1 exit /b 69
echo install: making "%TARGET%"
py -@PYTHON@ -m venv --clear "%TARGET%\.venv"
if errorlevel 1 exit /b 69
"%TARGET%\.venv\Scripts\python.exe" -m pip install --disable-pip-version-check -q --no-index --find-links "%STICK%wheels-windows" "inspace-ballads-player[@EXTRAS@]"
if errorlevel 1 goto nopackages
if exist "%TARGET%\show" goto kept
xcopy /e /i /q "%STICK%show" "%TARGET%\show"
if errorlevel 1 exit /b 69
goto play
:kept
echo install: "%TARGET%\show" is there already and was kept
:play
> "%TARGET%\play.bat" echo @"%%~dp0.venv\Scripts\inspace-ballads.exe" play --show "%%~dp0show" --mode @MODE@ %%*
echo install: done. To play:  "%TARGET%\play.bat"
exit /b 0
:nopython
echo install: Python @PYTHON@ is missing; install it first, for 64-bit Windows, with its launcher.
exit /b 69
:nopackages
echo install: pip could not install the packages; its own message is above.
exit /b 69
