@echo off
rem install.bat [FOLDER] - the player and its show from this folder, without a network.
rem Needs Python @PYTHON@ for 64-bit Windows, installed with its launcher "py". Not tried on Windows.
setlocal
set "STICK=%~dp0"
set "TARGET=%~1"
if "%TARGET%"=="" set "TARGET=%USERPROFILE%\inspace-ballads"
py -@PYTHON@ -c "pass" 2>nul || (echo install: Python @PYTHON@ is missing; install it first, for 64-bit Windows, with its launcher. & exit /b 69)
echo install: making %TARGET%
py -@PYTHON@ -m venv --clear "%TARGET%\.venv" || exit /b 69
"%TARGET%\.venv\Scripts\python" -m pip install --disable-pip-version-check -q --no-index --find-links "%STICK%wheels-windows" "inspace-ballads-player[@EXTRAS@]" || (echo install: pip could not install the packages; its own message is above. & exit /b 69)
if not exist "%TARGET%\show" xcopy /e /i /q "%STICK%show" "%TARGET%\show" || exit /b 69
> "%TARGET%\play.bat" echo @"%%~dp0.venv\Scripts\inspace-ballads" play --show "%%~dp0show" %%*
echo install: done. To play:  %TARGET%\play.bat
