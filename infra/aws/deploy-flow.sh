#!/bin/sh
# Fills in a flow with the outputs of the stack and creates it in an instance of Amazon Connect, or updates it.
# Usage: deploy-flow.sh INSTANCE_ID STACK_NAME [FLOW_FILE [GATEWAY_NUMBER]]
set -eu

if [ "$#" -lt 2 ]; then
    echo "usage: $0 INSTANCE_ID STACK_NAME [FLOW_FILE [GATEWAY_NUMBER]]" >&2
    exit 2
fi
instance=$1 stack=$2
file=${3:-$(dirname "$0")/contact-flow.json}
number=${4:-}

output() {
    aws cloudformation describe-stacks --stack-name "$stack" \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

name=$(sed -n 's/^    "name": "\(.*\)",$/\1/p' "$file")
content=$(sed -e "s|{{FUNCTION_ARN}}|$(output FunctionArn)|g" -e "s|{{BOT_ALIAS_ARN}}|$(output BotAliasArn)|g" \
    -e "s|{{GATEWAY_NUMBER}}|$number|g" "$file")
known=$(aws connect list-contact-flows --instance-id "$instance" --contact-flow-types CONTACT_FLOW \
    --query "ContactFlowSummaryList[?Name=='$name'].Id" --output text)

if [ -n "$known" ]; then
    aws connect update-contact-flow-content --instance-id "$instance" --contact-flow-id "$known" --content "$content"
else
    known=$(aws connect create-contact-flow --instance-id "$instance" --name "$name" --type CONTACT_FLOW \
        --content "$content" --query ContactFlowId --output text)
fi
echo "$known"
